"""Runs the query of a blocking client: its calls are made one after another in a worker thread, bounded in time and
interruptible.
"""

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Executor, Future
from time import perf_counter
from typing import TypeVar

import structlog

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class WarehouseClosed(Exception):
    """The warehouse was closed while a query of it ran: its threads accept no more calls."""


_AGAIN_S = 0.02
_GRACE_S = 1.0
"""How long to wait for a cancelled query. After that its thread is left to end at the client's own time-outs."""


class BlockingRun(ABC):
    """Use `call` any number of times, then `close`. Not for concurrent use.

    A call that is cancelled or exceeds the time-out keeps running in its thread until `close` has interrupted it.
    """

    def __init__(self, executor: Executor, *, timeout_s: float) -> None:
        """`timeout_s` bounds `waited_s`, the total time spent inside calls."""
        self.waited_s = 0.0
        self._timeout_s = timeout_s
        self._executor = executor
        self._pending: Future[object] | None = None

    @abstractmethod
    def interrupt(self) -> None:
        """Makes the running call, if any, fail soon. Callable from any thread, any number of times."""

    @abstractmethod
    def free(self) -> None:
        """Releases what the query holds. Called once, in the thread of the calls or when none of them runs."""

    async def call(self, function: Callable[[], T]) -> T:
        """Raises `TimeoutError` when the time is used up, `WarehouseClosed`, and what the function raises."""
        started = perf_counter()
        try:
            future: Future[T] = self._executor.submit(function)
        except RuntimeError as error:
            raise WarehouseClosed from error
        self._pending = future  # type: ignore[assignment]  # Future is invariant; only its state is read
        answer = asyncio.wrap_future(future)
        answer.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # retrieved even when abandoned
        try:
            done, _ = await asyncio.wait([answer], timeout=max(self._timeout_s - self.waited_s, 0.0))
        finally:
            self.waited_s += perf_counter() - started
        if not done:
            raise TimeoutError
        if answer.cancelled():  # only closing the executor cancels a call that waits for a thread
            raise WarehouseClosed
        return answer.result()

    async def close(self) -> bool:
        """Interrupts the running call and frees. Returns whether all of it ended within the grace time, which it waits
        at most.
        """
        freed: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        pending, self._pending = self._pending, None
        if pending is None or pending.done():
            self._free_in_thread(freed)
            await asyncio.wait([freed], timeout=_GRACE_S)
            return freed.done() and freed.result()
        pending.add_done_callback(lambda _: self._free_and_tell(freed))
        pending.cancel()
        for _ in range(round(_GRACE_S / _AGAIN_S)):
            self.interrupt()  # repeated, because an interrupt just before the query begins is lost
            if (await asyncio.wait([freed], timeout=_AGAIN_S))[0]:
                return freed.result()
        return False

    def _free_in_thread(self, freed: asyncio.Future[bool]) -> None:
        def alone() -> None:
            threading.Thread(target=self._free_and_tell, args=(freed,), name="free").start()

        try:
            queued = self._executor.submit(self._free_and_tell, freed)
        except RuntimeError:  # the warehouse was closed meanwhile: its threads accept no more work
            alone()
        else:
            queued.add_done_callback(lambda ended: alone() if ended.cancelled() else None)  # closed while it waited

    def _free_and_tell(self, freed: asyncio.Future[bool]) -> None:
        done = False
        try:
            self.free()
            done = True
        except Exception as error:  # noqa: BLE001 - any client's error: no caller is left to raise it to
            _log.warning("query_not_freed", run=type(self).__name__, error=type(error).__name__)
        finally:
            loop = freed.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(lambda: None if freed.done() else freed.set_result(done))
