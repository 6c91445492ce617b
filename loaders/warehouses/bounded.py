"""Bounds around any warehouse: how many queries run at once, and no dialing again right after a failed one."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager

from loaders.columnar.dialect import Dialect
from loaders.columnar.statement import Statement
from loaders.description import Table
from loaders.errors import StoreCredentialsRejected, StoreError, StoreTimeout, StoreUnavailable
from loaders.ledger import Ledger
from loaders.warehouses.base import (
    DEFAULT_TIMEOUT_MS,
    Estimate,
    Estimates,
    RecordBatches,
    RemoteTable,
    Scan,
    ScanEstimates,
    Warehouse,
)


class Bounded:
    """At most `limit` calls and streams at a time; the others wait, as long as their time-out allows.

    After a `StoreUnavailable` or `StoreCredentialsRejected` every call fails with the same for `memory_s` seconds,
    those that waited too, so a hundred fields over a server that is down dial it `limit` times at most. The first call
    after that dials again. `ping` always dials: it is the connection test.
    """

    def __init__(self, warehouse: Warehouse, *, limit: int, memory_s: float, clock: Callable[[], float]) -> None:
        self._warehouse = warehouse
        self._limit = limit
        self._slots = asyncio.Semaphore(limit)
        self._memory_s = memory_s
        self._clock = clock
        self._failed: StoreError | None = None
        self._failed_at = 0.0
        self._idle = asyncio.Event()
        self._idle.set()
        self._active = 0

    @property
    def store(self) -> str:
        return self._warehouse.store

    @property
    def dialect(self) -> Dialect:
        return self._warehouse.dialect

    @property
    def active(self) -> int:
        """Calls and streams that run or wait."""
        return self._active

    async def ping(self, *, ledger: Ledger) -> None:
        await self._warehouse.ping(ledger=ledger)
        self._failed = None

    async def list_tables(self, schema: str | None = None, *, ledger: Ledger) -> Sequence[RemoteTable]:
        async with self._slot(DEFAULT_TIMEOUT_MS):
            return await self._warehouse.list_tables(schema, ledger=ledger)

    async def describe(self, table: str, schema: str | None = None, *, ledger: Ledger) -> Table:
        async with self._slot(DEFAULT_TIMEOUT_MS):
            return await self._warehouse.describe(table, schema, ledger=ledger)

    async def stream(
        self, statement: Statement, *, ledger: Ledger, timeout_ms: int = DEFAULT_TIMEOUT_MS
    ) -> RecordBatches:
        async with self._slot(timeout_ms):
            batches = self._warehouse.stream(statement, ledger=ledger, timeout_ms=timeout_ms)
            async with aclosing(batches):
                async for batch in batches:
                    yield batch

    async def close(self) -> None:
        await self._warehouse.close()

    async def retire(self) -> None:
        """Closes once nothing runs any more."""
        await self._idle.wait()
        await self._warehouse.close()

    @asynccontextmanager
    async def _slot(self, timeout_ms: int) -> AsyncIterator[None]:
        self._active += 1
        self._idle.clear()
        try:
            self._refuse_if_failed()
            try:
                await asyncio.wait_for(self._slots.acquire(), timeout_ms / 1000)
            except TimeoutError:
                message = f"{self.store} is busy with {self._limit} queries of this gateway. Try again shortly."
                raise StoreTimeout(self.store, message) from None
            try:
                self._refuse_if_failed()
                yield
            except (StoreUnavailable, StoreCredentialsRejected) as error:
                if error is not self._failed:
                    self._failed, self._failed_at = error, self._clock()
                raise
            finally:
                self._slots.release()
        finally:
            self._active -= 1
            if self._active == 0:
                self._idle.set()

    def _refuse_if_failed(self) -> None:
        if self._failed is None:
            return
        if self._clock() - self._failed_at < self._memory_s:
            raise type(self._failed)(self.store, str(self._failed))
        self._failed = None


class BoundedEstimating(Bounded):
    """Of a warehouse that has the ability `Estimates`."""

    def __init__(
        self, warehouse: Warehouse, estimates: Estimates, *, limit: int, memory_s: float, clock: Callable[[], float]
    ) -> None:
        super().__init__(warehouse, limit=limit, memory_s=memory_s, clock=clock)
        self._estimates = estimates

    async def estimate(self, table: str, schema: str | None = None, *, ledger: Ledger) -> Estimate:
        async with self._slot(DEFAULT_TIMEOUT_MS):
            return await self._estimates.estimate(table, schema, ledger=ledger)

    async def scan_bytes(self, scan: Scan, *, ledger: Ledger) -> int | None:
        """None, as where metadata are silent, of a warehouse without the ability `ScanEstimates`."""
        if not isinstance(self._warehouse, ScanEstimates):
            return None
        async with self._slot(DEFAULT_TIMEOUT_MS):
            return await self._warehouse.scan_bytes(scan, ledger=ledger)


def bounded(warehouse: Warehouse, *, limit: int, memory_s: float, clock: Callable[[], float]) -> Bounded:
    """The bounds keep the abilities the warehouse has, and claim no other."""
    if isinstance(warehouse, Estimates):
        return BoundedEstimating(warehouse, warehouse, limit=limit, memory_s=memory_s, clock=clock)
    return Bounded(warehouse, limit=limit, memory_s=memory_s, clock=clock)
