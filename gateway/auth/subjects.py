"""Tokens' subjects as users of the platform: rows of `axion_sense.public.users`, by `external_auth_id`."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from gateway.auth.errors import TokenRejected
from gateway.auth.kept import Kept
from gateway.auth.oidc import Claims
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from resolvers.context import Subject

_FIND = "SELECT id, email, display_name, is_active, kind FROM public.users WHERE external_auth_id = $1"


@dataclass(frozen=True, slots=True)
class _User:
    id: int
    email: str | None
    display_name: str | None
    is_active: bool
    kind: str


class Subjects:
    """One statement per user and second at most, however many requests the user makes; unknown users too."""

    def __init__(self, postgres: Postgres, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._postgres = postgres
        self._kept: Kept[str, _User | None] = Kept(clock=clock)

    async def close(self) -> None:
        await self._kept.close()

    async def of(self, claims: Claims, ledger: Ledger) -> Subject:
        """Raises `TokenRejected` for an unknown or inactive user, `StoreError` when the database fails."""
        user = await self._kept.get(claims.subject, lambda: self._find(claims.subject, ledger))
        if user is None:
            raise TokenRejected("The token is good, but its subject is no user of this platform. Ask an administrator.")
        if not user.is_active:
            raise TokenRejected("This user is deactivated. Ask an administrator.")
        if user.kind == "service":
            raise TokenRejected("This is a service account: it signs in with its API keys only.")
        return Subject(
            id=claims.subject,
            user_id=user.id,
            email=user.email or claims.email,
            display_name=user.display_name or claims.name,
        )

    async def _find(self, external_auth_id: str, ledger: Ledger) -> _User | None:
        rows = await self._postgres.fetch(_FIND, external_auth_id, ledger=ledger)
        return _User(**rows[0]) if rows else None
