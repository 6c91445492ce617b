"""Lets callers that take several steps before they ask wait for each other, so that one batch contains all their
questions.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Barrier:
    """For the tasks of one event loop: callers that have arrived wait until no other is on its way."""

    def __init__(self) -> None:
        self._on_the_way = 0
        self._there: list[asyncio.Future[None]] = []

    @contextmanager
    def coming(self) -> Iterator["Arrival"]:
        """A context manager. A caller that leaves it without having arrived, by a failure, is no longer waited for."""
        self._on_the_way += 1
        arrival = Arrival(self)
        try:
            yield arrival
        finally:
            arrival.leave()

    def left(self) -> None:
        self._on_the_way -= 1
        asyncio.get_running_loop().call_soon(self._begin)  # after callers that start in the same iteration of the loop

    async def wait(self) -> None:
        there = asyncio.get_running_loop().create_future()
        self._there.append(there)
        await there

    def _begin(self) -> None:
        if self._on_the_way:
            return
        there, self._there = self._there, []
        for each in there:
            if not each.done():
                each.set_result(None)


class Arrival:
    """The arrival of one caller."""

    def __init__(self, barrier: Barrier) -> None:
        self._meeting = barrier
        self._is_coming = True

    async def arrived(self) -> None:
        """Returns once all callers that were on their way have arrived or failed."""
        self.leave()
        await self._meeting.wait()

    def leave(self) -> None:
        if self._is_coming:
            self._is_coming = False
            self._meeting.left()
