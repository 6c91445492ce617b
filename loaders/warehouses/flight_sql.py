"""A server that speaks Arrow Flight SQL, over the ADBC driver. Its SQL is that of the `dialect` setting."""

import re
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import TypeVar

import pyarrow as pa
from sqlglot import exp

from loaders.addresses import EVERYWHERE, Networks
from loaders.columnar.dialect import Dialect
from loaders.columnar.statement import Statement
from loaders.description import Column, Table
from loaders.errors import StoreQueryFailed, UnknownTable
from loaders.ledger import Ledger
from loaders.warehouses.arrow_types import presentation
from loaders.warehouses.base import DEFAULT_TIMEOUT_MS, Query, RecordBatches, RemoteTable
from loaders.warehouses.batch_run import batches_of
from loaders.warehouses.duckdb_sql import DUCKDB
from loaders.warehouses.flight_sql_commands import get_db_schemas, get_tables, statement_query
from loaders.warehouses.flight_sql_errors import FLIGHT_FAILURES, session_is_over, store_error
from loaders.warehouses.flight_sql_run import FlightSqlRun
from loaders.warehouses.flight_sql_session import Session, dialed
from loaders.warehouses.owned import Client, OwnedPool
from loaders.warehouses.settings import FlightSqlCredentials, FlightSqlOptions
from loaders.warehouses.statement_tables import told_if_gone

T = TypeVar("T")

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_]+")
_DIALECTS: dict[str, Dialect] = {"duckdb": DUCKDB}


class FlightSql:
    """Tables of the server's default catalog. `schema` names another schema than the `db_schema` setting.

    Statements only read by what they are: Flight SQL knows no read-only session, so give the data source a user who
    may only read.
    """

    def __init__(
        self,
        store: str,
        options: FlightSqlOptions,
        credentials: FlightSqlCredentials,
        *,
        networks: Networks = EVERYWHERE,
    ) -> None:
        """Opens no connection yet."""
        self._store = store
        self._schema = options.db_schema
        self._dialect = _DIALECTS[options.dialect]
        client = Client(lambda: dialed(options, credentials, networks), Session.close, session_is_over)
        self._pool = OwnedPool(store, client)

    @property
    def store(self) -> str:
        return self._store

    @property
    def dialect(self) -> Dialect:
        return self._dialect

    async def ping(self, *, ledger: Ledger) -> None:
        rows = await self._asked(lambda session: session.rows(get_db_schemas(), ["db_schema_name"]), ledger)
        if self._schema is not None and (self._schema,) not in rows:
            raise StoreQueryFailed(
                self._store, f"{self._store}: the server has no such schema, or the user may not see it. Correct it."
            )

    async def list_tables(self, schema: str | None = None, *, ledger: Ledger) -> Sequence[RemoteTable]:
        kinds = await self._listed(schema, None, ledger)
        return [
            RemoteTable(name, schema, "view" if "view" in kind.lower() else "table")
            for name, kind in sorted(kinds.items())
        ]

    async def describe(self, table: str, schema: str | None = None, *, ledger: Ledger) -> Table:
        """Columns as the server sends them in an answer. Types without a reading are left out (`arrow_types`)."""
        if table not in await self._listed(schema, table, ledger):
            raise self._unknown(table)
        described = Table(self._store, self._schema if schema is None else schema, table, ())
        source = exp.table_(table, db=described.schema, quoted=True)
        query = exp.select("*").from_(source).where(exp.false())
        sql = query.sql(dialect=self._dialect.name)

        sent = await self._asked(lambda session: session.schema(statement_query(sql)), ledger)
        found = _columns(sent)
        read = {column.name for column in found}
        unread = tuple(name for name in sent.names if name not in read)
        return Table(self._store, described.schema, table, found, unread=unread)

    async def stream(
        self, statement: Statement, *, ledger: Ledger, timeout_ms: int = DEFAULT_TIMEOUT_MS
    ) -> RecordBatches:
        async def is_there(schema: str | None, name: str) -> bool:
            return name in await self._listed(schema, name, ledger)

        async with (
            told_if_gone(statement.sql, self._dialect.name, store=self._store, is_there=is_there),
            aclosing(self._run(statement, ledger, timeout_ms)) as batches,
        ):
            async for batch in batches:
                yield batch

    def query(self, query: Query, *, ledger: Ledger, timeout_ms: int = DEFAULT_TIMEOUT_MS) -> RecordBatches:
        """No read-only mode: what holds it to reading is what it was judged to be, and the data source's user."""
        return self._run(Statement(query.sql, (), ()), ledger, timeout_ms, described=True)

    async def _run(
        self, statement: Statement, ledger: Ledger, timeout_ms: int, *, described: bool = False
    ) -> RecordBatches:
        owned = self._pool.take()
        run = FlightSqlRun(owned, statement, timeout_s=timeout_ms / 1000)
        batches = batches_of(
            run,
            store=self._store,
            ledger=ledger,
            timeout_ms=timeout_ms,
            failures=FLIGHT_FAILURES,
            store_error=store_error,
            described=described,
        )
        try:
            async with aclosing(batches):
                async for batch in batches:
                    yield batch
        finally:
            self._pool.give_back(owned, usable=run.freed)

    async def close(self) -> None:
        self._pool.close()

    async def _listed(self, schema: str | None, table: str | None, ledger: Ledger) -> dict[str, str]:
        """Table types by name. What is no plain name is compared here: in a filter it would be a pattern."""
        wanted = self._schema if schema is None else schema
        schema_filter = wanted if wanted is not None and _PLAIN_NAME.fullmatch(wanted) else None
        table_filter = table if table is not None and _PLAIN_NAME.fullmatch(table) else None

        command = get_tables(schema_pattern=schema_filter, table_pattern=table_filter)
        columns = ("db_schema_name", "table_name", "table_type")
        rows = await self._asked(lambda session: session.rows(command, columns), ledger)
        return {name or "": kind or "" for found, name, kind in rows if (found or None) == wanted}

    async def _asked(self, function: Callable[[Session], T], ledger: Ledger) -> T:
        """One blocking question in a session's own thread, bounded by the deadlines of its calls."""
        owned = self._pool.take()
        answered = False
        with ledger.statement(self._store):
            try:
                answer = await owned.asked(function)
                answered = True
                return answer
            except FLIGHT_FAILURES as error:
                raise store_error(self._store, error) from error
            finally:
                self._pool.give_back(owned, usable=answered)

    def _unknown(self, table: str) -> UnknownTable:
        return UnknownTable(f"{self._store} has no table {table}. List its tables again.")


def _columns(schema: pa.Schema) -> tuple[Column, ...]:
    columns = []
    for field in schema:
        shown = presentation(field.type)
        if shown is not None and (shown.how != "text" or pa.types.is_time(field.type)):
            columns.append(Column(field.name, shown.type, nullable=field.nullable))
    return tuple(columns)
