"""What every warehouse connector can do, and the abilities only some of them have.

    Warehouse           list, describe, stream, ping, close
    ├── Estimates       rows and bytes of a table from metadata, without reading it
    ├── ScanEstimates   bytes a statement over one table would read, without running it
    └── Forecasts       rows and bytes any statement would read, without running it

Code asks for an ability (`isinstance(warehouse, Estimates)`), never for a connector's name. The common currency is
`pyarrow.RecordBatch`.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, runtime_checkable

import pyarrow as pa

from loaders.columnar.dialect import Dialect
from loaders.columnar.statement import Statement
from loaders.description import Table
from loaders.ledger import Ledger

DEFAULT_TIMEOUT_MS = 30_000

RecordBatches: TypeAlias = AsyncGenerator[pa.RecordBatch, None]
"""A stream of batches. `aclose()` cancels the query in the engine."""


@dataclass(frozen=True, slots=True)
class RemoteTable:
    """A table as a listing shows it. `row_count` and `bytes` come from metadata, and are None where they would cost a
    read.
    """

    name: str
    schema: str | None
    kind: Literal["table", "view"]
    row_count: int | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What reading a whole table would scan. `bytes` is the stored (compressed) size; None is unknown."""

    rows: int | None
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Query:
    """SQL text that reads these `tables`, by their schemas and names, and no others.

    `scanned_bytes` limits what it may read, on engines that enforce such a limit themselves.
    """

    sql: str
    tables: tuple[Table, ...]
    scanned_bytes: int | None = None


class Warehouse(Protocol):
    """One opened data source. Safe for concurrent use by many tasks of one event loop.

    Every method that asks the engine may raise `StoreUnavailable`, `StoreTimeout`, `StoreCredentialsRejected` or
    `StoreQueryFailed`, all with `store`; messages name no address and no secret.
    """

    @property
    def store(self) -> str:
        """`datasource:{id}`."""

    @property
    def dialect(self) -> Dialect:
        """The SQL dialect that statements are compiled to."""

    async def ping(self, *, ledger: Ledger) -> None:
        """Connects, authenticates and finds the database or folder; the error says which of them failed."""

    async def list_tables(self, schema: str | None = None, *, ledger: Ledger) -> Sequence[RemoteTable]:
        """Tables of `schema` (None is the source's default), ordered by name. A schema that does not exist is empty."""

    async def describe(self, table: str, schema: str | None = None, *, ledger: Ledger) -> Table:
        """The table with its columns in the engine's order and `store=self.store`. `UnknownTable` when there is
        none.
        """

    def stream(self, statement: Statement, *, ledger: Ledger, timeout_ms: int = DEFAULT_TIMEOUT_MS) -> RecordBatches:
        """Runs the statement read-only and yields its rows as they come, columns as in `statement.columns`.

        An answer without rows has no batch. `timeout_ms` bounds the time spent waiting for the store, not the time
        the reader takes; a query over it is cancelled (`StoreTimeout`). Memory is a few batches whatever the size of
        the answer: a slow reader slows the store. `UnknownTable` when the table went away after it was described.
        """

    def query(self, query: Query, *, ledger: Ledger, timeout_ms: int = DEFAULT_TIMEOUT_MS) -> RecordBatches:
        """Runs SQL written by a user, which `loaders.raw_sql` has checked and rewritten, in the engine's own read-only
        mode.

        Like `stream`, with these differences: columns have the names the SQL gives them, which may repeat; there is
        always at least one batch, an empty one if need be, so that the reader learns the columns; and
        `StoreQueryFailed` also covers mistakes that only the engine finds, such as an unknown column.
        """

    async def close(self) -> None:
        """Cancels running queries and closes connections. Idempotent."""


@runtime_checkable
class Estimates(Protocol):
    async def estimate(self, table: str, schema: str | None = None, *, ledger: Ledger) -> Estimate:
        """Counts and sizes from metadata only. `UnknownTable` when there is none."""


@dataclass(frozen=True, slots=True)
class Scan:
    """A statement over some columns of one table. With `limit`, it reads no more than that many rows."""

    statement: Statement
    table: Table
    columns: tuple[str, ...]
    limit: int | None = None


@runtime_checkable
class ScanEstimates(Protocol):
    async def scan_bytes(self, scan: Scan, *, ledger: Ledger) -> int | None:
        """Stored bytes the statement would read, an upper bound by the metadata; None where the metadata do not say.

        Nothing is read. `UnknownTable` when there is none.
        """


@dataclass(frozen=True, slots=True)
class Scanned:
    """A table that a statement reads, with the columns it may read."""

    table: Table
    columns: tuple[str, ...]


@runtime_checkable
class Forecasts(Protocol):
    async def forecast(self, statement: Statement, scanned: Sequence[Scanned], *, ledger: Ledger) -> Estimate:
        """Rows and stored bytes the statement would read of these tables; None where the engine does not say.

        Nothing is read. An upper bound, as far as metadata tell. `StoreQueryFailed` when the engine checks the
        statement and would refuse it.
        """


@runtime_checkable
class EstimatesAndForecasts(Estimates, Forecasts, Protocol):
    """Both abilities."""


def scanned_share(limit: int | None, *, rows: int, at_once: int) -> float:
    """The share of a column that is read for `limit` of its `rows`, when the engine reads up to `at_once` rows too
    many.
    """
    return 1.0 if limit is None or rows == 0 else min(1.0, (limit + at_once) / rows)
