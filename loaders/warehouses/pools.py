"""The opened warehouses of a process: one per data source, opened at first use and dropped when the data source's row
changes.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

import orjson
import structlog

from loaders.addresses import EVERYWHERE, Networks
from loaders.columnar.source import ANSWER_BYTES
from loaders.errors import AxionError, NotFound
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from loaders.secrets.keyring import Keyring
from loaders.warehouses.bounded import Bounded, bounded, changed_meanwhile
from loaders.warehouses.connectors import Shared, connector
from loaders.warehouses.data_source_rows import DataSourceRow, read_rows
from loaders.warehouses.gate import Gate
from loaders.warehouses.listed_tables import ListedTables
from loaders.warehouses.process_places import PROCESSES, ProcessPlaces

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Open:
    row: DataSourceRow
    warehouse: Bounded
    used_at: float


@dataclass(slots=True)
class _Reading:
    """A statement that has not started yet, with the ids it will read."""

    ids: set[UUID]
    task: asyncio.Task[Mapping[UUID, DataSourceRow]]


class Warehouses:
    """Safe for concurrent use by the tasks of one event loop. The failure of one data source affects no other.

    A row is read again when it was last read more than `row_memory_s` ago, so a change made by another process is
    effective within that time; after a change of one's own, `forget` makes it effective at once. At most `max_open`
    warehouses stay open: the least recently used idle ones are closed first. Each is closed after `idle_s` without use,
    and within `check_s` of a change or removal of its row by any process. Streams of a dropped warehouse end
    undisturbed.
    """

    def __init__(
        self,
        gen: Postgres,
        keyring: Keyring,
        *,
        networks: Networks = EVERYWHERE,
        processes: int = PROCESSES,
        answer_bytes: int = ANSWER_BYTES,
        max_open: int = 64,
        idle_s: float = 600.0,
        concurrency: int = 16,
        failure_memory_s: float = 3.0,
        row_memory_s: float = 1.0,
        check_s: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gen = gen
        self._keyring = keyring
        self._shared = Shared(networks, ProcessPlaces(processes))
        self._answer_bytes = answer_bytes
        self._max_open = max_open
        self._idle_s = idle_s
        self._concurrency = concurrency
        self._failure_memory_s = failure_memory_s
        self._row_memory_s = row_memory_s
        self._check_s = check_s
        self._clock = clock
        self.listed = ListedTables()
        self._open: dict[UUID, _Open] = {}
        self._opened: dict[str, Bounded] = {}
        self._rows_read_at: dict[UUID, float] = {}
        self._reading: dict[UUID, _Reading] = {}
        self._next: _Reading | None = None
        self._retiring: dict[asyncio.Task[None], Bounded] = {}
        self._checks: asyncio.Task[None] | None = None

    @property
    def opened(self) -> Mapping[str, Bounded]:
        """The warehouses that are open now, by store name. A live view."""
        return MappingProxyType(self._opened)

    def still_open(self, store: str) -> Bounded:
        """The warehouse of this store, opened earlier for one of its tables; `StoreUnavailable` when it was dropped
        since.
        """
        found = self._opened.get(store)
        if found is None:
            raise changed_meanwhile(store)
        return found

    def engine(self, store: str) -> str | None:
        """The connector of an open warehouse, such as `clickhouse`; None when none is open."""
        found = (entry.row.connector_type for entry in self._open.values() if entry.row.store == store)
        return next(found, None)

    async def open(self, data_source_id: UUID, *, ledger: Ledger) -> Bounded:
        """The warehouse of a data source, without connecting to it.

        Raises `NotFound`, `EncryptionKeyMissing`, `SecretUnreadable`, `BadInput` for stored settings that do not fit
        the connector, and what Postgres may raise.
        """
        known = self._open.get(data_source_id)
        now = self._clock()
        if known is None or now - self._rows_read_at.get(data_source_id, -self._row_memory_s) >= self._row_memory_s:
            row = await self._row(data_source_id, ledger)
            known = self._open.get(data_source_id)
            if known is None or known.row != row:
                known = self._replace(known, row)
        known.used_at = self._clock()
        return known.warehouse

    def forget(self, data_source_id: UUID) -> None:
        """Makes the next `open` read the row again. Call it after writing the row."""
        self._rows_read_at.pop(data_source_id, None)

    async def close(self) -> None:
        """Cancels everything that runs."""
        checks = () if self._checks is None else (self._checks,)
        for task in (*checks, *(reading.task for reading in self._reading.values())):
            task.cancel()
        opened, self._open = [entry.warehouse for entry in self._open.values()], {}
        self._opened.clear()
        retiring = dict(self._retiring)
        for task, warehouse in retiring.items():
            if warehouse.active:
                task.cancel()
                opened.append(warehouse)
        results = await asyncio.gather(*(warehouse.close() for warehouse in opened), return_exceptions=True)
        await asyncio.gather(*retiring, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                _log.warning("warehouse_close_failed", error=type(result).__name__)

    async def _row(self, data_source_id: UUID, ledger: Ledger) -> DataSourceRow:
        """Shares one statement among concurrent callers; cancelling one of them does not cancel the others."""
        reading = self._reading.get(data_source_id)
        if reading is None:
            reading = self._next
            if reading is None:
                ids: set[UUID] = set()
                reading = self._next = _Reading(ids, asyncio.create_task(self._read_rows(ids, ledger)))
                reading.task.add_done_callback(lambda _: self._read(ids))
            reading.ids.add(data_source_id)
            self._reading[data_source_id] = reading
        row = (await asyncio.shield(reading.task)).get(data_source_id)
        if row is None:
            raise NotFound("There is no such data source.")
        return row

    async def _read_rows(self, ids: set[UUID], ledger: Ledger) -> Mapping[UUID, DataSourceRow]:
        self._next = None
        started = self._clock()
        rows = await read_rows(self._gen, list(ids), ledger=ledger)
        for id_ in ids:
            if id_ in rows:
                self._rows_read_at[id_] = started
            else:
                self._drop(id_)
        return rows

    def _read(self, ids: set[UUID]) -> None:
        for id_ in ids:
            self._reading.pop(id_, None)

    def _replace(self, known: _Open | None, row: DataSourceRow) -> _Open:
        plaintext = b"{}" if row.credentials is None else self._keyring.open(row.credentials)
        options = orjson.loads(row.options)
        used = connector(row.connector_type)
        warehouse = used.warehouse(row.store, options, plaintext, shared=self._shared)
        parsed = used.parsed(options)
        if known is not None:
            self._drop(row.id)
        entry = _Open(
            row,
            bounded(
                warehouse,
                gate=Gate(row.store, parsed.servers, self._shared.networks, clock=self._clock),
                limit=self._concurrency,
                timeout_ms=parsed.timeout_ms,
                memory_s=self._failure_memory_s,
                clock=self._clock,
                answer_bytes=self._answer_bytes,
            ),
            self._clock(),
        )
        self._open[row.id] = entry
        self._opened[row.store] = entry.warehouse
        self._make_room(entry)
        if self._checks is None:
            self._checks = asyncio.create_task(self._check_again())
        return entry

    def _drop(self, data_source_id: UUID) -> None:
        self._rows_read_at.pop(data_source_id, None)
        entry = self._open.pop(data_source_id, None)
        if entry is None:
            return
        if self._opened.get(entry.row.store) is entry.warehouse:
            del self._opened[entry.row.store]
        task = asyncio.create_task(entry.warehouse.retire())
        self._retiring[task] = entry.warehouse
        task.add_done_callback(self._retired)

    def _retired(self, task: asyncio.Task[None]) -> None:
        self._retiring.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("warehouse_close_failed", error=type(error).__name__)

    def _make_room(self, opened: _Open) -> None:
        others = (entry for entry in self._open.values() if entry is not opened)
        idle = sorted((entry for entry in others if not entry.warehouse.active), key=_used_at)
        for entry in idle[: max(len(self._open) - self._max_open, 0)]:
            self._drop(entry.row.id)

    async def _check_again(self) -> None:
        while True:
            await asyncio.sleep(self._check_s)
            self._close_idle()
            try:
                await self._close_changed()
            except AxionError as error:
                _log.warning("data_sources_not_checked", code=error.code.value)

    def _close_idle(self) -> None:
        too_old = self._clock() - self._idle_s
        for entry in list(self._open.values()):
            if _used_at(entry) <= too_old and not entry.warehouse.active:
                self._drop(entry.row.id)

    async def _close_changed(self) -> None:
        """One statement for all open warehouses; none while none is open."""
        if not self._open:
            return
        asked = {id_: entry.row for id_, entry in self._open.items()}
        found = await read_rows(self._gen, list(asked), ledger=Ledger())
        for id_, row in asked.items():
            known = self._open.get(id_)
            if known is not None and known.row is row and found.get(id_) != row:
                self._drop(id_)


def _used_at(entry: _Open) -> float:
    """When the warehouse was opened, or last used by a caller that kept it."""
    return max(entry.used_at, entry.warehouse.used_at)
