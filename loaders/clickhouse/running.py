"""The queries that may be running in the store, and the kills of those whose answers nobody reads any more."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from loaders.errors import StoreError
from loaders.ledger import Ledger

_log = logging.getLogger(__name__)

_AWAITED_SECONDS = 2.0


class RunningQueries:
    """Queries of one client by their `query_id`. `kill` returns when the query has ended in the store, and raises
    `StoreError` if that cannot be known.
    """

    def __init__(self, kill: Callable[[str, Ledger], Awaitable[None]]) -> None:
        self._kill = kill
        self._ledgers: dict[str, Ledger] = {}
        self._kills: set[asyncio.Task[None]] = set()

    def began(self, query_id: str, ledger: Ledger) -> None:
        """To be called before the query is sent."""
        self._ledgers[query_id] = ledger

    def ended(self, query_id: str) -> None:
        """The query has ended in the store, or has never reached it."""
        self._ledgers.pop(query_id, None)

    async def give_up(self, query_id: str) -> None:
        """Kills the query unless it has ended. Returns when it has ended in the store, or after two seconds, so that a
        silent store does not block the caller.

        The kill continues beyond that, also when the caller is cancelled; `close` waits for it.
        """
        ledger = self._ledgers.pop(query_id, None)
        if ledger is not None:
            await asyncio.wait([self._begin_kill(query_id, ledger)], timeout=_AWAITED_SECONDS)

    async def close(self) -> None:
        """Kills all queries and waits for the pending kills."""
        while self._ledgers:
            self._begin_kill(*self._ledgers.popitem())
        if self._kills:
            await asyncio.gather(*self._kills, return_exceptions=True)

    def _begin_kill(self, query_id: str, ledger: Ledger) -> asyncio.Task[None]:
        kill = asyncio.create_task(self._logged_kill(query_id, ledger))
        self._kills.add(kill)
        kill.add_done_callback(self._kills.discard)
        return kill

    async def _logged_kill(self, query_id: str, ledger: Ledger) -> None:
        try:
            await self._kill(query_id, ledger)
        except StoreError as failure:
            _log.warning("query %s could not be cancelled and may run on: %s", query_id, failure)
