"""Runs an operation while its client is connected, and no longer than a request may take."""

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, NoReturn, TypeVar

from starlette.types import Receive, Send

from gateway.http.body import HungUp, hung_up
from gateway.http.refusal import Refusal, refuse
from gateway.http.respond import finish
from loaders.errors import Code

T = TypeVar("T")

_UNWATCHED_S = 0.02
"""Nobody notices sooner that a client has left, and an operation that ends sooner needs neither a task nor its end."""


async def while_waited_for(operation: Awaitable[T], receive: Receive, *, timeout_ms: int) -> T:
    """The result of the operation. Raises `HungUp` when the client disconnects and `Refusal` 504 after the time-out.

    In both cases the operation has been cancelled and has ended before this raises, and so have its queries in the
    stores. It runs in the caller's own task, which the watching task cancels.
    """
    running = asyncio.current_task()
    assert running is not None
    watch = _Watch(running, receive, timeout_ms / 1000)
    try:
        return await operation
    except (Exception, asyncio.CancelledError):
        if watch.has_cancelled and running.uncancel() == 0:
            raise (HungUp() if watch.left else timed_out(timeout_ms)) from None
        raise
    finally:
        watch.end()


class _Watch:
    """Watches an operation with one timer and, if it takes longer than most, a task that waits for a disconnect."""

    def __init__(self, running: "asyncio.Task[Any]", receive: Receive, seconds: float) -> None:
        self._running = running
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._ends = self._loop.time() + seconds
        self._timer = self._loop.call_later(min(_UNWATCHED_S, seconds), self._begin)
        self._watching: asyncio.Task[None] | None = None
        self.has_cancelled = False
        self.left = False

    def end(self) -> None:
        self._timer.cancel()
        if self._watching is not None:
            self._watching.remove_done_callback(self._leave)
            self._watching.cancel()

    def _begin(self) -> None:
        self._watching = self._loop.create_task(hung_up(self._receive))
        self._watching.add_done_callback(self._leave)
        self._timer = self._loop.call_at(self._ends, self._cancel)

    def _leave(self, _: "asyncio.Task[None]") -> None:
        self.left = not self.has_cancelled
        self._cancel()

    def _cancel(self) -> None:
        if not self.has_cancelled:
            self.has_cancelled = True
            self._timer.cancel()
            self._running.cancel()


class StreamBroken(Exception):
    """A part of the answer has been sent, and the rest cannot or may not be sent; the connection has to be aborted.

    Raised from the reason (see `gateway.http.unbroken.broken_off`).
    """


async def send_while_read(
    sending: Coroutine[Any, Any, None], receive: Receive, send: Send, *, lost: Coroutine[Any, Any, NoReturn]
) -> None:
    """Runs `sending`, which sends a response except for its end, and sends the end when the client has read the rest.

    Raises `HungUp` when the client disconnects, `StreamBroken` from what `lost` raises (`until_lost`), or what
    `sending` raises; both have ended by then.
    """
    task = asyncio.create_task(sending)
    leaving = asyncio.create_task(hung_up(receive))
    losing = asyncio.create_task(lost)
    try:
        await asyncio.wait((task, leaving, losing), return_when=asyncio.FIRST_COMPLETED)
        if not task.done() and not losing.done():
            raise HungUp
        if not task.done():
            raise StreamBroken from losing.exception()
        task.result()
        await finish(send, leaving)
    finally:
        leaving.cancel()
        await ended(losing)
        await ended(task)


async def ended(task: "asyncio.Future[Any]") -> None:
    """Cancels the task and waits until it has ended, whatever it ends with."""
    task.cancel()
    await asyncio.wait((task,))
    if not task.cancelled():
        task.exception()


def timed_out(timeout_ms: int) -> Refusal:
    message = f"The request took longer than {timeout_ms} ms and was cancelled: ask for less, or try again later."
    return refuse(504, Code.STORE_TIMEOUT, message)
