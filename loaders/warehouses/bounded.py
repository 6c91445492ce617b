"""Bounds around any warehouse: how many queries run at once, how long each may take, and no connections right after a
failure.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import NotRequired, TypedDict, Unpack

from loaders.columnar.dialect import Dialect
from loaders.columnar.source import ANSWER_BYTES
from loaders.columnar.statement import Statement
from loaders.description import Table
from loaders.errors import StoreCredentialsRejected, StoreError, StoreTimeout, StoreUnavailable
from loaders.ledger import Ledger
from loaders.warehouses.base import (
    Estimate,
    Estimates,
    EstimatesAndForecasts,
    Query,
    RecordBatches,
    RemoteTable,
    Scan,
    ScanEstimates,
    Scanned,
    Warehouse,
)
from loaders.warehouses.gate import Gate


def changed_meanwhile(store: str) -> StoreUnavailable:
    """The error for a caller that still uses a warehouse which was closed because its data source changed."""
    return StoreUnavailable(store, f"{store} was changed while it was read. Try again.")


class Bounds(TypedDict):
    """The keyword arguments of `bounded`."""

    gate: Gate
    limit: int
    timeout_ms: int
    memory_s: float
    clock: Callable[[], float]
    answer_bytes: NotRequired[int]


class Bounded:
    """Runs at most `limit` calls and streams at a time; the others wait for as long as their time-out allows.

    `timeout_ms` is the data source's setting. A call for metadata always ends within it, whatever the client does; a
    stream has it unless the caller gives another. `answer_bytes` bounds answers that are held in memory, which are
    those not streamed to their reader.

    After a `StoreUnavailable`, a `StoreCredentialsRejected` or a time-out of metadata, every call fails with the same
    error for `memory_s` seconds, including those that were waiting. So a hundred fields over a server that is down
    cause at most `limit` connection attempts. The first call after that time connects again. `ping` ignores the
    remembered failure, because it is the connection test. Servers that the `gate` refuses are never connected to. Once
    closed or retired, every new call fails with `StoreUnavailable`, also for callers that still hold the warehouse.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        *,
        gate: Gate,
        limit: int,
        timeout_ms: int,
        memory_s: float,
        clock: Callable[[], float],
        answer_bytes: int = ANSWER_BYTES,
    ) -> None:
        self.answer_bytes = answer_bytes
        self._warehouse = warehouse
        self._gate = gate
        self._limit = limit
        self._timeout_ms = timeout_ms
        self._slots = asyncio.Semaphore(limit)
        self._memory_s = memory_s
        self._clock = clock
        self._failed: StoreError | None = None
        self._failed_at = 0.0
        self._idle = asyncio.Event()
        self._idle.set()
        self._active = 0
        self._used_at = clock()
        self._ended = False

    @property
    def store(self) -> str:
        return self._warehouse.store

    @property
    def dialect(self) -> Dialect:
        return self._warehouse.dialect

    @property
    def active(self) -> int:
        """The number of calls and streams that run or wait."""
        return self._active

    @property
    def used_at(self) -> float:
        """When the last call or stream ended, by the clock; before the first one, when the warehouse was made."""
        return self._used_at

    async def ping(self, *, ledger: Ledger) -> None:
        async with self._using(), self._in_time():
            await self._gate.require()
            await self._warehouse.ping(ledger=ledger)
        self._failed = None

    async def list_tables(self, schema: str | None = None, *, ledger: Ledger) -> Sequence[RemoteTable]:
        async with self._asking():
            return await self._warehouse.list_tables(schema, ledger=ledger)

    async def describe(self, table: str, schema: str | None = None, *, ledger: Ledger) -> Table:
        async with self._asking():
            return await self._warehouse.describe(table, schema, ledger=ledger)

    async def stream(self, statement: Statement, *, ledger: Ledger, timeout_ms: int | None = None) -> RecordBatches:
        allowed = self._timeout_ms if timeout_ms is None else timeout_ms
        async with self._slot(allowed):
            batches = self._warehouse.stream(statement, ledger=ledger, timeout_ms=allowed)
            async with aclosing(batches):
                async for batch in batches:
                    yield batch

    async def query(self, query: Query, *, ledger: Ledger, timeout_ms: int | None = None) -> RecordBatches:
        allowed = self._timeout_ms if timeout_ms is None else timeout_ms
        async with self._slot(allowed):
            batches = self._warehouse.query(query, ledger=ledger, timeout_ms=allowed)
            async with aclosing(batches):
                async for batch in batches:
                    yield batch

    async def close(self) -> None:
        self._ended = True
        await self._warehouse.close()

    async def retire(self) -> None:
        """Accepts no new calls, and closes once nothing runs any more."""
        self._ended = True
        await self._idle.wait()
        await self._warehouse.close()

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[None]:
        """Holds a slot for a call for metadata. A time-out of it is remembered like a failed connection: these calls
        are small, so a server that is slow with them is not healthy.
        """
        async with self._slot(self._timeout_ms):
            try:
                async with self._in_time():
                    yield
            except StoreTimeout as error:
                self._remember(error)
                raise

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._timeout_ms / 1000):
                yield
        except TimeoutError:
            message = (
                f"{self.store} did not answer within {self._timeout_ms} ms. Check that its server is well, "
                "or give it more time with the setting `timeout_ms`."
            )
            raise StoreTimeout(self.store, message) from None

    @asynccontextmanager
    async def _slot(self, timeout_ms: int) -> AsyncIterator[None]:
        async with self._using():
            self._refuse_if_failed()
            until = asyncio.get_running_loop().time() + timeout_ms / 1000
            try:
                async with asyncio.timeout_at(until):
                    await self._slots.acquire()
            except TimeoutError:
                message = f"{self.store} is busy with {self._limit} queries of this gateway. Try again shortly."
                raise StoreTimeout(self.store, message) from None
            try:
                self._refuse_if_failed()
                await self._pass_gate(until)
                yield
            except (StoreUnavailable, StoreCredentialsRejected) as error:
                self._remember(error)
                raise
            finally:
                self._slots.release()

    async def _pass_gate(self, until: float) -> None:
        try:
            async with asyncio.timeout_at(until):
                await self._gate.require()
        except TimeoutError:
            message = f"{self.store}: the name of its host was not resolved in time. Check it, and try again."
            raise StoreTimeout(self.store, message) from None

    @asynccontextmanager
    async def _using(self) -> AsyncIterator[None]:
        if self._ended:
            raise changed_meanwhile(self.store)
        self._active += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._used_at = self._clock()
            self._active -= 1
            if self._active == 0:
                self._idle.set()

    def _remember(self, error: StoreError) -> None:
        if error is not self._failed:
            self._failed, self._failed_at = error, self._clock()

    def _refuse_if_failed(self) -> None:
        if self._failed is None:
            return
        if self._clock() - self._failed_at < self._memory_s:
            raise type(self._failed)(self.store, str(self._failed))
        self._failed = None


class BoundedEstimating(Bounded):
    """Bounds of a warehouse with the ability `Estimates`."""

    def __init__(
        self,
        warehouse: Warehouse,
        estimates: Estimates,
        **bounds: Unpack[Bounds],
    ) -> None:
        super().__init__(warehouse, **bounds)
        self._estimates = estimates

    async def estimate(self, table: str, schema: str | None = None, *, ledger: Ledger) -> Estimate:
        async with self._asking():
            return await self._estimates.estimate(table, schema, ledger=ledger)

    async def scan_bytes(self, scan: Scan, *, ledger: Ledger) -> int | None:
        """None, as where metadata do not say, when the warehouse lacks the ability `ScanEstimates`."""
        if not isinstance(self._warehouse, ScanEstimates):
            return None
        async with self._asking():
            return await self._warehouse.scan_bytes(scan, ledger=ledger)


class BoundedForecasting(BoundedEstimating):
    """Bounds of a warehouse with the abilities `Estimates` and `Forecasts`."""

    def __init__(
        self,
        warehouse: Warehouse,
        abilities: EstimatesAndForecasts,
        **bounds: Unpack[Bounds],
    ) -> None:
        super().__init__(warehouse, abilities, **bounds)
        self._forecasts = abilities

    async def forecast(self, statement: Statement, scanned: Sequence[Scanned], *, ledger: Ledger) -> Estimate:
        async with self._asking():
            return await self._forecasts.forecast(statement, scanned, ledger=ledger)


def bounded(warehouse: Warehouse, **bounds: Unpack[Bounds]) -> Bounded:
    """Wraps the warehouse in the class that has the same abilities, so that `isinstance` still answers for them."""
    if isinstance(warehouse, EstimatesAndForecasts):
        return BoundedForecasting(warehouse, warehouse, **bounds)
    if isinstance(warehouse, Estimates):
        return BoundedEstimating(warehouse, warehouse, **bounds)
    return Bounded(warehouse, **bounds)
