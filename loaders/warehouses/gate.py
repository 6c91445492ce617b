"""Decides whether a data source's servers may be connected to, by the networks an operator denies, whatever address an
administrator entered.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from loaders.addresses import Bounds, InsideAddress, denied, resolved
from loaders.errors import StoreUnavailable
from loaders.warehouses.settings import Server

_KEPT_S: Final = 1.0


class Gate:
    """Judges by the addresses the servers' names resolve to, and looks them up again after a second. Belongs to one
    event loop.

    Callers that ask during a look-up share it, and a caller that gives up does not end it. Look-ups have a thread of
    their own, because a name server that does not answer blocks the thread for as long as the system's resolver waits.

    Whatever connects checks the address it dials once more: Impala and Flight SQL are given the checked address, and
    ClickHouse's client checks each address it dials. The clients of BigQuery and S3 resolve the name again by
    themselves.
    """

    def __init__(self, store: str, servers: Sequence[Server], bounds: Bounds, *, clock: Callable[[], float]) -> None:
        self._store = store
        self._servers = servers
        self._bounds = bounds
        self._clock = clock
        self._passed_at: float | None = None
        self._looking: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"{store} name")

    async def require(self) -> None:
        """Raises `StoreUnavailable` when a server is in a denied network or its name cannot be resolved."""
        if self._passed_at is not None and self._clock() - self._passed_at < _KEPT_S:
            return
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
            self._looking.add_done_callback(self._looked)
        await asyncio.shield(self._looking)

    async def _look(self) -> None:
        loop, now = asyncio.get_running_loop(), self._clock()
        for each in self._servers:
            try:
                await loop.run_in_executor(self._thread, resolved, each.host, each.port, self._bounds)
            except InsideAddress as error:
                raise denied(self._store) from error
            except (OSError, UnicodeError) as error:
                raise StoreUnavailable(
                    self._store, f"{self._store}: the name of its host cannot be resolved. Check it, and try again."
                ) from error
        self._passed_at = now

    def _looked(self, task: asyncio.Task[None]) -> None:
        """Retrieves the failure of a look-up, which is raised to its waiters: there may be none."""
        self._looking = None
        if not task.cancelled():
            task.exception()
