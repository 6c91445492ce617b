"""Caches rows that every request needs for one second: at most one statement per key and second."""

import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from gateway.auth.single_flight import SingleFlight

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

CACHE_S = 1.0
"""For how long a revocation in the database may go unnoticed, as for any other revocation."""
_SIZE = 10_000


class RowCache(Generic[K, V]):
    """Absent rows are cached, too. The size is bounded: the entry that was requested longest ago is dropped first."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: OrderedDict[K, tuple[V, float]] = OrderedDict()
        self._flight: SingleFlight[K, tuple[V, float]] = SingleFlight()

    async def close(self) -> None:
        await self._flight.close()

    async def get(self, key: K, find: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """The result of `find`, which may be from the last second."""
        came = self._clock()
        found = self._found.get(key)
        # A statement under way may have read the row long ago: who came after it was sent takes no aged answer of it.
        while found is None or (found[1] < came and self._clock() >= found[1] + CACHE_S):
            found = await self._flight.run(key, lambda: self._find(key, find))
        return found[0]

    async def _find(self, key: K, find: Callable[[], Coroutine[Any, Any, V]]) -> tuple[V, float]:
        asked = self._clock()
        found = self._found[key] = (await find(), asked)
        self._found.move_to_end(key)
        if len(self._found) > _SIZE:
            self._found.popitem(last=False)
        return found
