"""Waiting for what another process or server does."""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable


async def until(condition: Callable[[], bool | Awaitable[bool]], *, timeout_s: float = 20.0) -> None:
    """Waits for what no event tells of: a state inside another process, or a task's first steps."""
    async with asyncio.timeout(timeout_s):
        while not await _holds(condition):  # noqa: ASYNC110 - there is no event to await
            await asyncio.sleep(0.01)


async def _holds(condition: Callable[[], bool | Awaitable[bool]]) -> bool:
    holds = condition()
    return await holds if isawaitable(holds) else bool(holds)
