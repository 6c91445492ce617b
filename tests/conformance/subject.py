"""A connector under test: how to load tables, to open it with right and wrong settings, and to inspect its engine."""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import pyarrow as pa

from loaders.addresses import EVERYWHERE
from loaders.columnar.statement import Statement
from loaders.description import ColumnType
from loaders.read import AggregateFunction
from loaders.warehouses.base import Warehouse
from loaders.warehouses.bounded import Bounded, bounded
from loaders.warehouses.connectors import connector
from loaders.warehouses.gate import Gate
from resolvers.jobs.kinds.background_source import BackgroundSource
from tests.conformance.rows import ODD_NAME, ODD_NAMES
from tests.waiting import until

STORE = "datasource:conformance"
NOBODY_LISTENS = "http://127.0.0.1:1"
WRONG_SECRET = "wrong-Secret-7f3a"


def background_source(warehouse: Warehouse) -> BackgroundSource:
    """As jobs read it: an engine that is slow to start is no failure here."""
    return BackgroundSource(bounds_of(warehouse))


def bounds_of(warehouse: Warehouse) -> Bounded:
    gate = Gate(warehouse.store, (), EVERYWHERE, clock=time.monotonic)
    return bounded(warehouse, gate=gate, limit=4, memory_s=0, timeout_ms=60_000, clock=lambda: 0.0)


class Subject(ABC):
    """`space` is where the suite's tables are: a database, or a folder; `other_space` a sibling, named by `schema`."""

    space = "axion_conformance"
    other_space = "axion_conformance_other"
    odd_name = ODD_NAME
    odd_columns: Sequence[str] = ODD_NAMES.column_names
    """Names as odd as the engine allows."""
    kinds: Mapping[str, ColumnType] = {}
    """Columns of `every_type` that are of another type here than elsewhere, as the engine has no such type."""
    mangled: frozenset[str] = frozenset()
    """Columns of `every_type` the test server, unlike the engine, spells wrongly."""
    unsorted: frozenset[str] = frozenset()
    """Columns the test server, unlike the engine, does not sort as it is told."""
    streams_whole = False
    """Whether the test server, unlike the engine, sends a table as one message."""
    estimates = True
    """Whether the engine tells sizes from metadata."""
    without: frozenset[AggregateFunction] = frozenset()
    """Measures the engine has not (docs/connectors.md)."""
    connector = ""
    """As data sources name it."""

    @abstractmethod
    async def prepare(self) -> None:
        """Empties both spaces."""

    @abstractmethod
    async def load(self, name: str, rows: pa.Table, *, space: str | None = None) -> None: ...

    @abstractmethod
    async def drop(self, name: str) -> None: ...

    @abstractmethod
    def settings(
        self, *, secret: str | None = None, user: str | None = None, url: str | None = None
    ) -> dict[str, object]:
        """All settings of a data source over `space`; with a wrong secret or user, or by way of `http://host:port`."""

    @property
    @abstractmethod
    def address(self) -> tuple[str, int]:
        """Where its server, or what stands before it, listens."""

    @property
    @abstractmethod
    def missing(self) -> dict[str, object]:
        """Settings that name a database or bucket which does not exist."""

    def open(self, *, secret: str | None = None, user: str | None = None, url: str | None = None) -> Warehouse:
        return self.opened(self.settings(secret=secret, user=user, url=url))

    def open_missing(self) -> Warehouse:
        return self.opened(self.settings() | self.missing)

    def opened(self, settings: Mapping[str, object]) -> Warehouse:
        """As the product opens what it has stored."""
        known = connector(self.connector)
        options, credentials = known.split(settings)
        return known.warehouse(STORE, options.model_dump(mode="json"), credentials.to_bytes())

    @abstractmethod
    def endless(self, table: str) -> Statement:
        """A query that would run for minutes over a table of 200,000 rows."""

    @abstractmethod
    async def running(self, warehouse: Warehouse) -> int:
        """Queries the engine has not let go of, asked of the engine."""

    async def begun(self, warehouse: Warehouse) -> None:
        """Waits until the engine runs a query."""
        await until(lambda: self._is_running(warehouse))

    async def ended(self, warehouse: Warehouse) -> None:
        """Waits until the engine has let go of every query: it hears of a cancel a moment after the caller is free."""

        async def idle() -> bool:
            return not await self._is_running(warehouse)

        await until(idle)

    async def _is_running(self, warehouse: Warehouse) -> bool:
        return bool(await self.running(warehouse))

    async def close(self) -> None:
        return None


def address_of(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port
