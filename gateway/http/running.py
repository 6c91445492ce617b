"""Runs an operation for as long as its client waits for it, and no longer than a request may take."""

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

from gateway.http.body import HungUp
from gateway.http.refusal import Refusal, refuse
from loaders.errors import Code

T = TypeVar("T")


async def while_waited_for(operation: Awaitable[T], receive: Receive, *, timeout_ms: int) -> T:
    """Raises `HungUp` when the client goes away, `Refusal` 504 after the time-out.

    Either way the operation is cancelled and has ended before this raises, so its stores' queries are too. It runs in
    the caller's own task, which the watching one cancels.
    """
    running = asyncio.current_task()
    assert running is not None
    watching = asyncio.create_task(hung_up(receive))
    left = False

    def leave(_: "asyncio.Task[None]") -> None:
        nonlocal left
        left = True
        running.cancel()

    watching.add_done_callback(leave)
    try:
        async with asyncio.timeout(timeout_ms / 1000) as limit:
            return await operation
    except (Exception, asyncio.CancelledError):
        if left and running.uncancel() == 0:
            raise HungUp from None
        if limit.expired():
            raise timed_out(timeout_ms) from None
        raise
    finally:
        watching.remove_done_callback(leave)
        watching.cancel()


async def send_while_read(sending: Coroutine[Any, Any, None], receive: Receive) -> None:
    """A streamed answer: raises `HungUp` when its reader leaves, or what the sending raises; it has then ended."""
    task = asyncio.create_task(sending)
    leaving = asyncio.create_task(hung_up(receive))
    try:
        await asyncio.wait((task, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise HungUp
        task.result()
    finally:
        leaving.cancel()
        await ended(task)


async def ended(task: "asyncio.Future[Any]") -> None:
    """Cancels the task and waits until it has ended, whatever it ends with."""
    task.cancel()
    await asyncio.wait((task,))
    if not task.cancelled():
        task.exception()


async def hung_up(receive: Receive) -> None:
    """Returns when the client goes away. The request's body must have been read."""
    while (await receive())["type"] != "http.disconnect":
        pass


def timed_out(timeout_ms: int) -> Refusal:
    message = f"The request took longer than {timeout_ms} ms and was cancelled: ask for less, or try again later."
    return refuse(504, Code.STORE_TIMEOUT, message)
