"""Connections of a client that blocks. Each is used by one thread of its own, so none is ever used by two at once."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

C = TypeVar("C")
T = TypeVar("T")


class Owned(Generic[C]):
    """A connection that is dialed at first use, and the thread that uses it."""

    def __init__(self, thread_name: str, dial: Callable[[], C], hang_up: Callable[[C], object]) -> None:
        self.executor = ThreadPoolExecutor(1, thread_name_prefix=thread_name)
        self._dial = dial
        self._hang_up = hang_up
        self._connection: C | None = None

    def connection(self) -> C:
        """To be called in its thread. What dialing raises, it raises; the next call dials again."""
        if self._connection is None:
            self._connection = self._dial()
        return self._connection

    async def asked(self, function: Callable[[C], T]) -> T:
        """One call in its thread; it ends by itself, so the client must bound it."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.executor, lambda: function(self.connection()))

    def drop(self) -> None:
        """Hangs up as soon as the thread has nothing else to do, and ends the thread. Does not wait."""
        self.executor.submit(self._end)
        self.executor.shutdown(wait=False)

    def _end(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._hang_up(connection)


class OwnedPool(Generic[C]):
    """As many connections as are used at once; who uses it bounds that (`Bounded`). Belongs to one event loop."""

    def __init__(self, thread_name: str, dial: Callable[[], C], hang_up: Callable[[C], object]) -> None:
        self._thread_name = thread_name
        self._dial = dial
        self._hang_up = hang_up
        self._idle: list[Owned[C]] = []
        self._closed = False

    def take(self) -> Owned[C]:
        """An idle one, or a new one that is not dialed yet."""
        return self._idle.pop() if self._idle else Owned(self._thread_name, self._dial, self._hang_up)

    def give_back(self, owned: Owned[C], *, usable: bool) -> None:
        """`usable` when nothing runs on it and its last use did not fail on the way."""
        if usable and not self._closed:
            self._idle.append(owned)
        else:
            owned.drop()

    def drop_idle(self) -> None:
        while self._idle:
            self._idle.pop().drop()

    def close(self) -> None:
        """Drops the idle ones now and the others when they are given back. Idempotent."""
        self._closed = True
        self.drop_idle()
