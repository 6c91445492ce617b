"""The real engines in process, behind the `Source` protocol: chDB for ClickHouse's SQL, DuckDB for its own."""

import atexit
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC
from functools import cache
from typing import Any, Protocol

import duckdb
import pyarrow as pa
from chdb.session import Session
from clickhouse_connect.driver.binding import bind_query

from loaders.clickhouse.arrow_decoder import ArrowDecoder
from loaders.clickhouse.compile import CLICKHOUSE
from loaders.clickhouse.encoded import EncodedBatch
from loaders.columnar.dialect import Dialect
from loaders.columnar.statement import Statement
from loaders.ledger import Ledger
from loaders.warehouses.duckdb_sql import DUCKDB


class Engine(Protocol):
    name: str

    @property
    def dialect(self) -> Dialect: ...

    def execute(self, sql: str, rows: Sequence[tuple[object, ...]] = ()) -> str: ...

    def stream(self, statement: Statement, *, ledger: Ledger) -> AsyncGenerator[pa.RecordBatch, None]: ...


@cache
def the_chdb() -> "ChDb":
    """chDB has one engine per process, so all tests share it; each fixture makes its own database in it."""
    engine = ChDb()
    atexit.register(engine.session.close)
    return engine


class ChDb:
    name = "clickhouse"
    dialect = CLICKHOUSE

    def __init__(self) -> None:
        self.session = Session()  # type: ignore[no-untyped-call]

    def execute(self, sql: str, rows: Sequence[tuple[object, ...]] = ()) -> str:
        bound = {f"p{position}": value for position, value in enumerate(value for row in rows for value in row)}
        _, parameters = bind_query(sql, bound, UTC)
        return str(self._query(sql, "TSV", parameters).data())

    async def stream(self, statement: Statement, *, ledger: Ledger) -> AsyncGenerator[pa.RecordBatch, None]:
        for batch in pa.ipc.open_stream(self._arrow(statement, ledger)):
            yield batch

    async def stream_encoded(self, statement: Statement, *, ledger: Ledger) -> AsyncGenerator[EncodedBatch, None]:
        decoder = ArrowDecoder()
        decoder.feed(self._arrow(statement, ledger))
        for message in decoder.messages():
            yield EncodedBatch("clickhouse", decoder.schema, message)

    def _arrow(self, statement: Statement, ledger: Ledger) -> bytes:
        sql, parameters = bind_query(statement.sql, statement.named, UTC)
        data: bytes = self._query(str(sql), "ArrowStream", parameters).bytes()
        ledger.record("clickhouse", bytes_=len(data))
        return data

    def explain(self, sql: str, named: dict[str, object]) -> list[str]:
        bound, parameters = bind_query(sql, named, UTC)
        return str(self._query(str(bound), "TSV", parameters).data()).splitlines()

    def _query(self, sql: str, output: str, parameters: dict[str, str]) -> Any:
        named = {name.removeprefix("param_"): value for name, value in parameters.items()}
        return self.session.query(sql, output, params=named)  # type: ignore[no-untyped-call]


class DuckDb:
    name = "duckdb"
    dialect = DUCKDB

    def __init__(self) -> None:
        self.connection = duckdb.connect(config={"threads": "1"})
        self.connection.execute("SET TimeZone = 'UTC'")

    def execute(self, sql: str, rows: Sequence[tuple[object, ...]] = ()) -> str:
        if rows:
            self.connection.executemany(sql, rows)
        else:
            self.connection.execute(sql)
        return ""

    async def stream(self, statement: Statement, *, ledger: Ledger) -> AsyncGenerator[pa.RecordBatch, None]:
        relation = self.connection.sql(statement.sql, params=statement.positional)
        ledger.record("datasource:duckdb")
        for batch in relation.to_arrow_reader(7):  # small batches: their seams are tested too
            yield batch
