"""Connections of a blocking client. Each has a thread of its own, so no connection is ever used by two threads
at once.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

C = TypeVar("C")
T = TypeVar("T")

_IDLE_S: Final = 60.0


def _never(_: Exception) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Client(Generic[C]):
    """How to open and close connections of one kind.

    `is_gone` says, by the error of a call, whether the server has ended the connection or it broke. Such a connection
    is closed with `abandon` (default `hang_up`), which does not ask the server.
    """

    dial: Callable[[], C]
    hang_up: Callable[[C], object]
    is_gone: Callable[[Exception], bool] = _never
    abandon: Callable[[C], object] | None = None


class Owned(Generic[C]):
    """A connection that is opened at first use, and the thread that uses it."""

    def __init__(self, thread_name: str, client: Client[C]) -> None:
        self.executor = ThreadPoolExecutor(1, thread_name_prefix=thread_name)
        self._client = client
        self._connection: C | None = None

    def connection(self) -> C:
        """The connection, opened if need be; to be called in its thread. Raises what opening raises; the next call then
        opens again.
        """
        if self._connection is None:
            self._connection = self._client.dial()
        return self._connection

    def begun(self, function: Callable[[C], T]) -> T:
        """Makes a call that may be repeated, in the connection's thread. When a connection that was used before turns
        out to be gone, the call is made once more over a new one.
        """
        served = self._connection is not None
        try:
            return function(self.connection())
        except Exception as error:
            if not (served and self._client.is_gone(error)):
                raise
        gone, self._connection = self._connection, None
        if gone is not None:
            (self._client.abandon or self._client.hang_up)(gone)
        return function(self.connection())

    async def asked(self, function: Callable[[C], T]) -> T:
        """Like `begun`, from any thread. The call cannot be interrupted, so the client must bound it."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.executor, lambda: self.begun(function))

    def drop(self) -> None:
        """Closes the connection and ends the thread, after the work that is queued. Does not wait."""
        self.executor.submit(self._end)
        self.executor.shutdown(wait=False)

    def _end(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._client.hang_up(connection)


class OwnedPool(Generic[C]):
    """Grows to as many connections as are used at once; the caller bounds that (`Bounded`). Belongs to one event loop.

    A connection that was idle for `idle_s` is dropped, even when no other is requested, because servers end idle
    connections.
    """

    def __init__(
        self,
        thread_name: str,
        client: Client[C],
        *,
        idle_s: float = _IDLE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._thread_name = thread_name
        self._client = client
        self._idle_s = idle_s
        self._clock = clock
        self._idle: list[tuple[float, Owned[C]]] = []
        """Ordered by last use; the one used last is taken first."""
        self._aging: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def idle(self) -> int:
        return len(self._idle)

    def take(self) -> Owned[C]:
        """An idle connection, or a new one that is not opened yet."""
        self._drop_aged()
        return self._idle.pop()[1] if self._idle else Owned(self._thread_name, self._client)

    def give_back(self, owned: Owned[C], *, usable: bool) -> None:
        """`usable` says that nothing runs on the connection and that its last use did not fail halfway."""
        self._drop_aged()
        if usable and not self._closed:
            self._idle.append((self._clock(), owned))
            self._age_later()
        else:
            owned.drop()

    def drop_idle(self) -> None:
        while self._idle:
            self._idle.pop()[1].drop()

    def close(self) -> None:
        """Drops idle connections now, and the others when they are given back. Idempotent."""
        self._closed = True
        self.drop_idle()
        if self._aging is not None:
            self._aging.cancel()
            self._aging = None

    def _drop_aged(self) -> None:
        too_old = self._clock() - self._idle_s
        while self._idle and self._idle[0][0] <= too_old:
            self._idle.pop(0)[1].drop()

    def _age_later(self) -> None:
        if self._aging is None and self._idle:
            left = self._idle[0][0] + self._idle_s - self._clock()
            self._aging = asyncio.get_running_loop().call_later(left, self._age)

    def _age(self) -> None:
        self._aging = None
        self._drop_aged()
        self._age_later()
