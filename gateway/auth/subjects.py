"""Tokens' subjects as users of the platform: rows of `axion_sense.public.users`, by `external_auth_id`."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from gateway.auth.errors import TokenRejected
from gateway.auth.oidc import Claims
from gateway.auth.single_flight import SingleFlight
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from resolvers.context import Subject

_FIND = "SELECT id, email, display_name, is_active FROM public.users WHERE external_auth_id = $1"
_KEPT_S = 1.0
"""How long a deactivated user may go on, as with any other revocation."""
_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class _User:
    id: int
    email: str | None
    display_name: str | None
    is_active: bool


@dataclass(frozen=True, slots=True)
class _Found:
    user: _User | None
    asked: float


class Subjects:
    """One statement per user and second at most, however many requests the user makes; unknown users too."""

    def __init__(self, postgres: Postgres, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._postgres = postgres
        self._clock = clock
        self._found: OrderedDict[str, _Found] = OrderedDict()
        self._flight: SingleFlight[str, _Found] = SingleFlight()

    async def close(self) -> None:
        await self._flight.close()

    async def of(self, claims: Claims, ledger: Ledger) -> Subject:
        """Raises `TokenRejected` for an unknown or inactive user, `StoreError` when the database fails."""
        came = self._clock()
        found = self._found.get(claims.subject)
        # A statement under way may have read the row long ago: who came after it was sent takes no aged answer of it.
        while found is None or (found.asked < came and self._clock() >= found.asked + _KEPT_S):
            found = await self._flight.run(claims.subject, lambda: self._find(claims.subject, ledger))
        user = found.user
        if user is None:
            raise TokenRejected("The token is good, but its subject is no user of this platform. Ask an administrator.")
        if not user.is_active:
            raise TokenRejected("This user is deactivated. Ask an administrator.")
        return Subject(
            id=claims.subject,
            user_id=user.id,
            email=user.email or claims.email,
            display_name=user.display_name or claims.name,
        )

    async def _find(self, external_auth_id: str, ledger: Ledger) -> _Found:
        asked = self._clock()
        rows = await self._postgres.fetch(_FIND, external_auth_id, ledger=ledger)
        found = _Found(_User(**rows[0]) if rows else None, asked)
        self._found[external_auth_id] = found
        self._found.move_to_end(external_auth_id)
        if len(self._found) > _KEPT:
            self._found.popitem(last=False)
        return found
