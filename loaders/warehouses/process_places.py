"""Limits how many query processes a gateway has at once, over all data sources."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Protocol

PROCESSES: Final = 8


class Idle(Protocol):
    """A pool of query processes of one data source."""

    @property
    def idle(self) -> int:
        """The number of processes that wait for their next query."""
        ...

    def drop_idle(self) -> None: ...


class ProcessPlaces:
    """At most `limit` processes, counting busy and idle ones.

    A caller waits for a busy place in order of arrival. Idle processes are ended when another data source needs their
    place. Belongs to one event loop.
    """

    def __init__(self, limit: int = PROCESSES) -> None:
        self.limit = limit
        self._places = asyncio.Semaphore(limit)
        self._asked = 0
        self._pools: list[Idle] = []

    def join(self, pool: Idle) -> None:
        self._pools.append(pool)

    def leave(self, pool: Idle) -> None:
        self._pools.remove(pool)

    @asynccontextmanager
    async def place(self, pool: Idle) -> AsyncIterator[None]:
        """Holds a place for one query. The query uses an idle process of its pool before it starts another."""
        async with self._places:
            self._asked += 1
            try:
                if not pool.idle:
                    self._make_room()
                yield
            finally:
                self._asked -= 1

    def _make_room(self) -> None:
        for pool in self._pools:
            if self._asked + sum(each.idle for each in self._pools) <= self.limit:
                return
            pool.drop_idle()
