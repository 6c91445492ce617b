"""Registers the running queries: their ids are unique, their number is bounded, and each can be cancelled
at any time.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from deploy.local.clickhouse_server.engine import Engine
from deploy.local.clickhouse_server.errors import ServerError

P = ParamSpec("P")
T = TypeVar("T")

_RETRY_SECONDS = 0.05
"""How soon a KILL is repeated that was sent before the engine had registered the query."""


class Running:
    def __init__(self, engine: Engine, *, limit: int) -> None:
        self._engine = engine
        self._limit = limit
        self._threads = ThreadPoolExecutor(limit, thread_name_prefix="query")
        self._killers = ThreadPoolExecutor(4, thread_name_prefix="kill")
        self._queries: dict[str, asyncio.Event] = {}
        self._draining = False

    def add(self, query_id: str) -> None:
        if self._draining:
            raise ServerError(236, "ABORTED", "The server is shutting down")
        if query_id in self._queries:
            raise ServerError(
                216, "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING", f"Query with id = {query_id} is already running."
            )
        if len(self._queries) >= self._limit:
            raise ServerError(
                202, "TOO_MANY_SIMULTANEOUS_QUERIES", f"Too many simultaneous queries. Maximum: {self._limit}"
            )
        self._queries[query_id] = asyncio.Event()

    def remove(self, query_id: str) -> None:
        self._queries.pop(query_id).set()

    async def call(self, query_id: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs blocking work of a query in a thread. A cancelled caller cancels the query and waits for the thread."""
        future = asyncio.get_running_loop().run_in_executor(self._threads, lambda: work(*args, **kwargs))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            while not future.done():
                await self._kill(query_id)
                await asyncio.wait({future}, timeout=_RETRY_SECONDS)
            raise

    async def kill(self, query_id: str) -> None:
        """Cancels the query, even one that has just started, and returns when its request has released it."""
        ended = self._queries.get(query_id)
        while ended is not None and not ended.is_set():
            await self._kill(query_id)
            try:
                await asyncio.wait_for(ended.wait(), _RETRY_SECONDS)
            except TimeoutError:
                continue

    async def drain(self) -> None:
        """Accepts no more queries and cancels those that run."""
        self._draining = True
        await asyncio.gather(*(self.kill(query_id) for query_id in list(self._queries)))

    async def _kill(self, query_id: str) -> None:
        await asyncio.get_running_loop().run_in_executor(self._killers, self._engine.kill, query_id)

    def close(self) -> None:
        self._threads.shutdown()
        self._killers.shutdown()
