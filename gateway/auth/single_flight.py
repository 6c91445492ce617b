"""Lets concurrent callers that want the same answer share one call."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class SingleFlight(Generic[K, V]):
    """A call continues when its callers are cancelled. Its result or error goes to those that still wait.

    A call that has ended is no longer shared, not even in the same iteration of the event loop.
    """

    def __init__(self) -> None:
        self._running: dict[K, asyncio.Task[V]] = {}

    async def run(self, key: K, call: Callable[[], Coroutine[Any, Any, V]]) -> V:
        task = self._running.get(key)
        if task is None or task.done():
            task = self._running[key] = asyncio.create_task(call())
            task.add_done_callback(partial(self._ended, key))
        return await asyncio.shield(task)

    def is_running(self, key: K) -> bool:
        """Whether `run` would share a call that is under way."""
        task = self._running.get(key)
        return task is not None and not task.done()

    async def close(self) -> None:
        """Cancels running calls and with them their callers."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _ended(self, key: K, task: asyncio.Task[V]) -> None:
        if self._running.get(key) is task:
            del self._running[key]
        if not task.cancelled():
            task.exception()  # retrieved even when no caller is left
