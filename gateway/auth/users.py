"""Tokens' subjects as users of the platform: rows of `axion_sense.public.users`, by `external_auth_id`."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gateway.auth.single_flight import SingleFlight
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres

_SQL = "SELECT id, is_active, email, display_name FROM public.users WHERE external_auth_id = $1"
_KEPT_S = 1.0
"""How long a deactivated user may go on: a revocation is effective within one second."""
_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class User:
    id: int
    is_active: bool
    email: str | None
    display_name: str | None


class Users(Protocol):
    async def find(self, external_auth_id: str) -> User | None:
        """Raises a `StoreError` when it cannot be known."""
        ...


@dataclass(frozen=True, slots=True)
class _Found:
    user: User | None
    asked: float


class PostgresUsers:
    """One statement per user and second at most, however many requests the user makes."""

    def __init__(self, postgres: Postgres, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._postgres = postgres
        self._clock = clock
        self._found: OrderedDict[str, _Found] = OrderedDict()
        self._flight: SingleFlight[str, _Found] = SingleFlight()

    async def find(self, external_auth_id: str) -> User | None:
        found = self._found.get(external_auth_id)
        if found is None or self._clock() >= found.asked + _KEPT_S:
            found = await self._flight.run(external_auth_id, lambda: self._find(external_auth_id))
        return found.user

    async def close(self) -> None:
        await self._flight.cancel()

    async def _find(self, external_auth_id: str) -> _Found:
        asked = self._clock()
        rows = await self._postgres.fetch(_SQL, external_auth_id, ledger=Ledger())
        found = self._found[external_auth_id] = _Found(User(**rows[0]) if rows else None, asked)
        self._found.move_to_end(external_auth_id)
        if len(self._found) > _KEPT:
            self._found.popitem(last=False)
        return found
