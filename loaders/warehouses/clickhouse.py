"""A ClickHouse server or cluster as a warehouse, over the same client as the platform's own."""

import math
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Final

import pyarrow as pa
from clickhouse_connect.driver.exceptions import Error

from loaders.addresses import EVERYWHERE, Networks
from loaders.clickhouse.client import ClickHouse
from loaders.clickhouse.compile import CLICKHOUSE
from loaders.columnar.batch_size import apart
from loaders.columnar.dialect import Dialect
from loaders.columnar.statement import Statement
from loaders.description import Column, Table
from loaders.errors import StoreQueryFailed, UnknownTable
from loaders.ledger import Ledger
from loaders.warehouses.base import (
    DEFAULT_TIMEOUT_MS,
    Estimate,
    Query,
    RecordBatches,
    RemoteTable,
    Scan,
    Scanned,
    scanned_share,
)
from loaders.warehouses.clickhouse_raw import hides_types, typed
from loaders.warehouses.clickhouse_types import TypeName, column_type, parse
from loaders.warehouses.settings import ClickHouseCredentials, ClickHouseOptions

_CONNECTIONS: Final = 16
_UNKNOWN_TABLE: Final = 60
_VIEWS: Final = frozenset({"View", "MaterializedView", "LiveView", "WindowView"})

_PING = "SELECT count() AS found FROM system.databases WHERE name = {database:String}"
_TABLES = """
SELECT name, engine, total_rows, total_bytes FROM system.tables
WHERE database = {database:String} AND NOT is_temporary AND NOT startsWith(name, '.inner') ORDER BY name
"""
_COLUMNS = """
SELECT name, type, comment FROM system.columns
WHERE database = {database:String} AND table = {table:String} AND default_kind != 'EPHEMERAL' ORDER BY position
"""
_SIZES = """
SELECT total_rows, total_bytes FROM system.tables WHERE database = {database:String} AND name = {table:String}
"""
# Compact parts keep no sizes of their columns: what no column accounts for is counted whole.
_COLUMN_SIZES = """
SELECT any(t.total_rows) AS rows,
    sumIf(c.data_compressed_bytes, has({columns:Array(String)}, c.name))
        + greatest(toInt64(any(t.total_bytes)) - toInt64(sum(c.data_compressed_bytes)), 0) AS bytes
FROM system.tables AS t JOIN system.columns AS c ON c.database = t.database AND c.table = t.name
WHERE t.database = {database:String} AND t.name = {table:String}
"""
_LOCKED: Final = {"allow_ddl": False, "allow_introspection_functions": False, "max_ast_depth": 1_000}
_READ_AHEAD_ROWS: Final = 16 * 65_536
"""What parallel readers may have taken beyond a LIMIT when it is reached: a block each."""


class ClickHouseWarehouse:
    """One database of a server by default; `schema` names another one the user may read. Reads only (`readonly=2`)."""

    def __init__(
        self,
        store: str,
        options: ClickHouseOptions,
        credentials: ClickHouseCredentials,
        *,
        networks: Networks = EVERYWHERE,
    ) -> None:
        """Opens no connection yet."""
        self._store = store
        self._database = options.database
        self._client = ClickHouse.open(
            options.url,
            credentials.username.get_secret_value(),
            credentials.password.get_secret_value(),
            None,
            store=store,
            timeout_ms=options.timeout_ms,
            connections=_CONNECTIONS,
            bounds=networks,
        )

    @property
    def store(self) -> str:
        return self._store

    @property
    def dialect(self) -> Dialect:
        return CLICKHOUSE

    async def ping(self, *, ledger: Ledger) -> None:
        found = await self._metadata(_PING, {"database": self._database}, ledger)
        if found.column("found")[0].as_py() == 0:
            raise StoreQueryFailed(
                self._store, f"{self._store}: the server has no such database, or the user may not see it."
            )

    async def list_tables(self, schema: str | None = None, *, ledger: Ledger) -> Sequence[RemoteTable]:
        rows = await self._metadata(_TABLES, {"database": schema or self._database}, ledger)
        return [
            RemoteTable(
                row["name"],
                schema,
                "view" if row["engine"] in _VIEWS else "table",
                row_count=row["total_rows"],
                bytes=row["total_bytes"],
            )
            for row in rows.to_pylist()
        ]

    async def describe(self, table: str, schema: str | None = None, *, ledger: Ledger) -> Table:
        """Aggregation states are left out (`clickhouse_types`). A ClickHouse key is not unique, so there is none."""
        database = schema or self._database
        rows = await self._metadata(_COLUMNS, {"database": database, "table": table}, ledger)
        if rows.num_rows == 0:
            raise self._unknown(table)
        columns, unread = [], []
        for row in rows.to_pylist():
            described = column_type(row["type"])
            if described is None:
                unread.append(row["name"])
                continue
            type_, nullable = described
            columns.append(Column(row["name"], type_, nullable, row["comment"]))
        return Table(self._store, database, table, tuple(columns), unread=tuple(unread))

    async def estimate(self, table: str, schema: str | None = None, *, ledger: Ledger) -> Estimate:
        parameters = {"database": schema or self._database, "table": table}
        rows = (await self._metadata(_SIZES, parameters, ledger)).to_pylist()
        if not rows:
            raise self._unknown(table)
        return Estimate(rows[0]["total_rows"], rows[0]["total_bytes"])

    async def scan_bytes(self, scan: Scan, *, ledger: Ledger) -> int | None:
        """By the compressed sizes of the columns. None of views and engines that keep no count of rows."""
        parameters = {"database": scan.table.schema, "table": scan.table.name, "columns": list(scan.columns)}
        (sizes,) = (await self._metadata(_COLUMN_SIZES, parameters, ledger)).to_pylist()
        if sizes["rows"] is None or sizes["bytes"] is None:
            return None
        rows, bytes_ = int(sizes["rows"]), int(sizes["bytes"])
        return math.ceil(bytes_ * scanned_share(scan.limit, rows=rows, at_once=_READ_AHEAD_ROWS))

    async def forecast(self, statement: Statement, scanned: Sequence[Scanned], *, ledger: Ledger) -> Estimate:
        """Rows by EXPLAIN ESTIMATE, after keys and partitions have narrowed them, and that share of the columns' bytes.

        A table it says nothing of counts whole; None of views and engines that keep no count of rows.
        """
        plan = await self._metadata(f"EXPLAIN ESTIMATE {statement.sql}", statement.named, ledger)
        left = {(row["database"], row["table"]): int(row["rows"]) for row in plan.to_pylist()}
        rows = bytes_ = 0
        for each in scanned:
            where = (each.table.schema, each.table.name)
            parameters = {"database": where[0], "table": where[1], "columns": list(each.columns)}
            (sizes,) = (await self._metadata(_COLUMN_SIZES, parameters, ledger)).to_pylist()
            if sizes["rows"] is None or sizes["bytes"] is None:
                return Estimate(None, None)
            total = int(sizes["rows"])
            found = left.get(where, total)
            rows += found
            bytes_ += math.ceil(int(sizes["bytes"]) * (found / total if total else 0))
        return Estimate(rows, bytes_)

    async def stream(
        self, statement: Statement, *, ledger: Ledger, timeout_ms: int = DEFAULT_TIMEOUT_MS
    ) -> RecordBatches:
        batches = self._client.stream(statement.sql, statement.named, ledger=ledger, timeout_ms=timeout_ms)
        try:
            async with aclosing(batches):
                async for batch in batches:
                    if batch.num_rows:
                        yield batch
        except StoreQueryFailed as error:
            if isinstance(error.__cause__, Error) and error.__cause__.code == _UNKNOWN_TABLE:
                raise UnknownTable(f"{self._store} no longer has the table. List its tables again.") from error
            raise

    async def query(self, query: Query, *, ledger: Ledger, timeout_ms: int = DEFAULT_TIMEOUT_MS) -> RecordBatches:
        batches = self._client.stream_locked(query.sql, ledger=ledger, timeout_ms=timeout_ms, settings=_LOCKED)
        types: Mapping[str, TypeName] | None = None
        async with aclosing(batches):
            async for batch in batches:
                if types is None:
                    types = await self._types(query.sql, ledger) if hides_types(batch.schema) else {}
                yield await apart(batch.nbytes, partial(typed, batch, types)) if types else batch

    async def _types(self, sql: str, ledger: Ledger) -> Mapping[str, TypeName]:
        described = [batch async for batch in self._client.stream_locked(f"DESCRIBE TABLE ({sql})", ledger=ledger)]
        return {row["name"]: parse(row["type"]) for batch in described for row in batch.to_pylist()}

    async def close(self) -> None:
        await self._client.close()

    async def _metadata(self, sql: str, parameters: Mapping[str, object], ledger: Ledger) -> pa.Table:
        return await self._client.query(sql, parameters, ledger=ledger)

    def _unknown(self, table: str) -> UnknownTable:
        return UnknownTable(f"{self._store} has no table {table}. List its tables again.")
