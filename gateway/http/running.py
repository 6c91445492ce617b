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

    Either way the operation's task is cancelled and has ended before this returns, so its stores' queries are too.
    """
    running = asyncio.ensure_future(operation)
    hang_up = asyncio.create_task(hung_up(receive))
    try:
        done, _ = await asyncio.wait((running, hang_up), timeout=timeout_ms / 1000, return_when=asyncio.FIRST_COMPLETED)
        if running in done:
            return running.result()
        if hang_up in done:
            raise HungUp
        raise timed_out(timeout_ms)
    finally:
        hang_up.cancel()
        if not running.done():
            await ended(running)


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
