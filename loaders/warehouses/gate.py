"""Whether a data source's servers may be connected to at all: an operator's say, over what administrators enter."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from loaders.addresses import Bounds, InsideAddress, denied, resolved
from loaders.errors import StoreUnavailable
from loaders.warehouses.settings import Server

_KEPT_S: Final = 1.0


class Gate:
    """Judges by what the servers' names lead to now, and again a second later. Belongs to one event loop.

    Who asks while a look-up runs shares it, and giving up does not end it. It has a thread of its own, since a name
    that does not answer keeps one for as long as the system's resolver waits.

    What connects judges once more, in the very address that is dialed: clients that take one are given it (Impala,
    Flight SQL), ClickHouse's asks for each. Those of BigQuery and S3 resolve the name again for themselves.
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
        """`StoreUnavailable` where a server is in a network that is denied, or its name leads nowhere."""
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
        """Its failure is that of who waits for it; nobody may."""
        self._looking = None
        if not task.cancelled():
            task.exception()
