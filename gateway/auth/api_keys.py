"""API keys of programs: rows of `axion_sense.public.api_keys`, each belonging to a user or a service account."""

import hmac
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from gateway.auth.errors import TokenRejected
from gateway.auth.row_cache import RowCache
from loaders.accounts import ApiKey, api_key_of
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from loaders.secrets.api_key import PREFIX, ApiKeyText
from resolvers.subject import Subject


class ApiKeys:
    """Looks keys up with at most one statement per key and second, however many requests send it; unknown keys too."""

    def __init__(self, postgres: Postgres, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._postgres = postgres
        self._rows: RowCache[uuid.UUID, ApiKey | None] = RowCache(clock=clock)

    async def close(self) -> None:
        await self._rows.close()

    @staticmethod
    def is_key(token: str) -> bool:
        """Whether the token is meant to be an API key: no JWT begins like one."""
        return token.startswith(PREFIX)

    async def of(self, token: str, ledger: Ledger) -> tuple[Subject, datetime]:
        """The user that the key acts as, and when the key expires (UTC). Raises `TokenRejected`, or a `StoreError` when
        the database fails.

        Only callers who have the key's secret are told whether it was revoked or has expired.
        """
        given = ApiKeyText.parsed(token)
        if given is None:
            raise TokenRejected("The API key is malformed. Send it whole, as it was shown when it was made.")
        key = await self._rows.get(given.id, partial(api_key_of, given.id, sense=self._postgres, ledger=ledger))
        if key is None or not hmac.compare_digest(given.secret_sha256, key.secret_sha256):
            raise TokenRejected("There is no such API key. Make another with apiKeyCreate.")
        if key.revoked_at is not None:
            raise TokenRejected("This API key was revoked. Make another with apiKeyCreate.")
        if key.expires_at <= datetime.now(UTC):
            raise TokenRejected("This API key has expired. Make another with apiKeyCreate.")
        if not key.is_active:
            raise TokenRejected("The account of this API key is deactivated. Ask an administrator.")
        subject = Subject(
            id=key.external_auth_id,
            user_id=key.user_id,
            email=key.email,
            display_name=key.display_name,
            scopes=frozenset(key.scopes),
        )
        return subject, key.expires_at
