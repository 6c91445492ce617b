"""API keys of programs: rows of `axion_sense.public.api_keys`, each of a user or a service account."""

import hmac
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.auth.errors import TokenRejected
from gateway.auth.kept import Kept
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from loaders.secrets.api_key import PREFIX, ApiKeyText
from resolvers.context import Subject

_FIND = """
SELECT k.secret_sha256, k.expires_at, k.revoked_at, k.scopes,
       u.id, u.external_auth_id, u.email, u.display_name, u.is_active
FROM public.api_keys k JOIN public.users u ON u.id = k.user_id WHERE k.id = $1
"""


@dataclass(frozen=True, slots=True)
class _Key:
    secret_sha256: bytes
    expires_at: datetime
    revoked_at: datetime | None
    is_active: bool
    subject: Subject


class ApiKeys:
    """One statement per key and second at most, however many requests come with it; unknown keys too."""

    def __init__(self, postgres: Postgres, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._postgres = postgres
        self._kept: Kept[uuid.UUID, _Key | None] = Kept(clock=clock)

    async def close(self) -> None:
        await self._kept.close()

    @staticmethod
    def is_key(token: str) -> bool:
        """Whether it is meant to be an API key: no JWT begins so."""
        return token.startswith(PREFIX)

    async def of(self, token: str, ledger: Ledger) -> tuple[Subject, datetime]:
        """Whom the key acts as, and when it ends (UTC). `TokenRejected`, or a `StoreError` when the database fails.

        What became of a key is told to those only who have its secret.
        """
        given = ApiKeyText.parsed(token)
        if given is None:
            raise TokenRejected("The API key is malformed. Send it whole, as it was shown when it was made.")
        key = await self._kept.get(given.id, lambda: self._find(given.id, ledger))
        if key is None or not hmac.compare_digest(given.secret_sha256, key.secret_sha256):
            raise TokenRejected("There is no such API key. Make another with apiKeyCreate.")
        if key.revoked_at is not None:
            raise TokenRejected("This API key was revoked. Make another with apiKeyCreate.")
        if key.expires_at <= datetime.now(UTC):
            raise TokenRejected("This API key has expired. Make another with apiKeyCreate.")
        if not key.is_active:
            raise TokenRejected("The account of this API key is deactivated. Ask an administrator.")
        return key.subject, key.expires_at

    async def _find(self, id_: uuid.UUID, ledger: Ledger) -> _Key | None:
        rows = await self._postgres.fetch(_FIND, id_, ledger=ledger)
        if not rows:
            return None
        row = rows[0]
        subject = Subject(
            id=row["external_auth_id"],
            user_id=row["id"],
            email=row["email"],
            display_name=row["display_name"],
            scopes=frozenset(row["scopes"]),
        )
        return _Key(row["secret_sha256"], row["expires_at"], row["revoked_at"], row["is_active"], subject)
