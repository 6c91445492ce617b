"""The connection pool for reads: asyncpg's pool without its tasks, timers and proxies for every statement
(docs/adr/0012).

A free connection is popped off a list and put back on it. Waiting callers are served in order, within a time-out. Reads
leave nothing behind in a session, so it is reset only after a cancelled statement.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

import asyncpg

from loaders.postgres.errors import DRIVER_ERRORS

T = TypeVar("T")

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection

WAIT_S: Final = 5.0
UNUSED_S: Final = 300.0
LIFE_S: Final = 3_600.0
_OVER = ("FATAL", "PANIC")
"""Errors by which the server ends the session."""


class Connections:
    """At most `maximum` connections, opened by `connect` on demand. One that died is replaced when the next is needed.

    `wait_s` bounds the wait for a connection, including its opening, and the closing of one. A connection is closed
    when nobody needed it for `unused_s` (at most twice that) and, after its current statement, when it is `life_s` old.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Connection]],
        maximum: int,
        *,
        wait_s: float = WAIT_S,
        unused_s: float = UNUSED_S,
        life_s: float = LIFE_S,
    ) -> None:
        self._connect = connect
        self._maximum = maximum
        self._wait_s, self._unused_s, self._life_s = wait_s, unused_s, life_s
        self._free: list[Connection] = []  # the one used last is the last, and taken first
        self._untouched = 0  # how many of the first free ones were not taken since the last sweep
        self._lives: dict[Connection, asyncio.TimerHandle] = {}  # of every open one
        self._old: set[Connection] = set()
        self._places = 0  # taken by connections that are being opened, or handed to who will open one
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()  # for a connection, or a place (None)
        self._ending: set[asyncio.Task[None]] = set()
        self._sweeping: asyncio.TimerHandle | None = None
        self._closed: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._lives) + self._places

    async def run(self, statement: Callable[[Connection], Awaitable[T]]) -> T:
        """What `statement` returns, which has a connection to itself. Raises what `statement` and connecting raise, and
        `TimeoutError` when no connection was free in time.
        """
        connection = self._taken() or await self._awaited()
        try:
            answer = await statement(connection)
        except asyncpg.PostgresError as error:
            self._give(connection, over=getattr(error, "severity_en", None) in _OVER)
            raise
        except asyncio.CancelledError:
            self._end(self._reset(connection))
            raise
        except BaseException:
            self._give(connection, over=True)
            raise
        self._give(connection)
        return answer

    async def close(self) -> None:
        """Waits for running statements, at most `wait_s`, and closes all connections. No connection is lent any
        more.
        """
        self._closed = asyncio.get_running_loop().create_future()
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_exception(_closed())
        if self._sweeping is not None:
            self._sweeping.cancel()
        for connection in self._free:
            self._end(self._close(connection))
        self._free.clear()
        if len(self):
            await asyncio.wait((self._closed,), timeout=self._wait_s)
        for connection in list(self._lives):
            self._forget(connection)
        if self._ending:
            await asyncio.wait(self._ending)

    # --- lent and given back ------------------------------------------------------------------------------------------

    def _taken(self) -> Connection | None:
        while self._free:
            connection = self._free.pop()
            if len(self._free) < self._untouched:
                self._untouched = len(self._free)
            if not connection.is_closed():
                return connection
            self._forget(connection)
        return None

    async def _awaited(self) -> Connection:
        async with asyncio.timeout(self._wait_s):
            if self._closed is not None:
                raise _closed()
            if len(self) < self._maximum:
                self._places += 1
                return await self._opened()
            waiting: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            try:
                connection = await waiting
            except asyncio.CancelledError:
                if waiting.done() and not waiting.cancelled() and waiting.exception() is None:
                    self._pass_on(waiting.result())  # what came in the same moment is another's
                raise
            return connection or await self._opened()

    async def _opened(self) -> Connection:
        try:
            connection = await self._connect()
        except BaseException:
            self._pass_on(None)
            raise
        loop = asyncio.get_running_loop()
        self._places -= 1
        self._lives[connection] = loop.call_later(self._life_s, self._age, connection)
        if self._closed is not None:
            self._give(connection)
            raise _closed()
        if self._sweeping is None:
            self._sweeping = loop.call_later(self._unused_s, self._sweep)
        return connection

    def _give(self, connection: Connection, *, over: bool = False) -> None:
        if over or connection.is_closed() or connection not in self._lives:
            self._forget(connection)
        elif self._closed is not None or connection in self._old:
            self._end(self._close(connection))
        else:
            self._pass_on(connection)

    def _pass_on(self, given: Connection | None) -> None:
        """Hands a connection, or the right to open one, to the caller who has waited longest."""
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(given)
                return
        if given is not None:
            self._free.append(given)
            return
        self._places -= 1
        if self._closed is not None and not self._closed.done() and not len(self):
            self._closed.set_result(None)

    # --- ended --------------------------------------------------------------------------------------------------------

    def _forget(self, connection: Connection) -> None:
        """Closes a connection at once, unless it is closed, and gives its place to a waiting caller."""
        connection.terminate()
        life = self._lives.pop(connection, None)
        if life is not None:
            life.cancel()
            self._old.discard(connection)
            self._places += 1
            self._pass_on(None)

    def _end(self, ending: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(ending, name="end of a connection's use")
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _reset(self, connection: Connection) -> None:
        """Resets a connection after a cancellation: asyncpg has asked the server to cancel the statement and blocks
        until it has.
        """
        over = True
        try:
            with suppress(*DRIVER_ERRORS):  # then it is ended, which is all there is to do
                await connection.reset(timeout=self._wait_s)
                over = False
        finally:
            self._give(connection, over=over)

    async def _close(self, connection: Connection) -> None:
        try:
            with suppress(*DRIVER_ERRORS):  # asyncpg has aborted it then
                await connection.close(timeout=self._wait_s)
        finally:
            self._forget(connection)

    def _age(self, connection: Connection) -> None:
        if connection in self._free:
            self._leave(connection)
        else:
            self._old.add(connection)

    def _sweep(self) -> None:
        for connection in self._free[: self._untouched]:
            self._leave(connection)
        self._untouched = len(self._free)
        loop = asyncio.get_running_loop()
        self._sweeping = loop.call_later(self._unused_s, self._sweep) if self._lives else None

    def _leave(self, connection: Connection) -> None:
        self._free.remove(connection)
        self._untouched = min(self._untouched, len(self._free))
        self._end(self._close(connection))


def _closed() -> Exception:
    return asyncpg.InterfaceError("the database's connections are closed")
