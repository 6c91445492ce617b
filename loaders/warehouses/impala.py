"""Impala, or another server of the HiveServer2 protocol, as a warehouse over impyla. Each running query has a session
of its own.
"""

import re
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import aclosing
from typing import TypeVar

import structlog

from loaders.addresses import EVERYWHERE, Networks
from loaders.columnar.dialect import Dialect
from loaders.columnar.statement import Statement
from loaders.description import Column, Table
from loaders.errors import StoreQueryFailed, StoreUnavailable, UnknownTable
from loaders.ledger import Ledger
from loaders.warehouses.base import DEFAULT_TIMEOUT_MS, Query, RecordBatches, RemoteTable
from loaders.warehouses.batch_run import batches_of
from loaders.warehouses.impala_errors import IMPALA_FAILURES, QueryCancelled, session_is_gone, store_error
from loaders.warehouses.impala_run import ImpalaRun
from loaders.warehouses.impala_session import Session
from loaders.warehouses.impala_sql import IMPALA
from loaders.warehouses.impala_types import column_type
from loaders.warehouses.owned import Client, OwnedPool
from loaders.warehouses.settings import ImpalaCredentials, ImpalaOptions
from loaders.warehouses.statement_tables import told_if_gone

T = TypeVar("T")
_log = structlog.get_logger(__name__)

_NAME = re.compile(r"[A-Za-z0-9_]{1,128}", re.ASCII)


class ImpalaWarehouse:
    """`schema` names another database than the `database` setting. Names are letters, digits and underscores.

    The protocol has no read-only mode: the gateway sends nothing but SELECT statements, and the data source's user
    should only be allowed to read.
    """

    def __init__(
        self, store: str, options: ImpalaOptions, credentials: ImpalaCredentials, *, networks: Networks = EVERYWHERE
    ) -> None:
        """Opens no connection yet."""
        self._store = store
        self._database = options.database
        client = Client(
            lambda: Session.open(options, credentials, networks), Session.close, session_is_gone, Session.abandon
        )
        self._pool = OwnedPool(store, client)

    @property
    def store(self) -> str:
        return self._store

    @property
    def dialect(self) -> Dialect:
        return IMPALA

    async def ping(self, *, ledger: Ledger) -> None:
        def databases(session: Session) -> set[str]:
            session.cursor.get_databases()
            return {_text(row[0]) for row in session.cursor.fetchall()}

        if self._database.lower() not in {name.lower() for name in await self._asked(databases, ledger)}:
            raise StoreQueryFailed(
                self._store, f"{self._store}: the server has no such database, or the user may not see it. Correct it."
            )

    async def list_tables(self, schema: str | None = None, *, ledger: Ledger) -> Sequence[RemoteTable]:
        kinds = await self._listed(schema, ledger)
        return [
            RemoteTable(name, schema, "view" if "view" in kind.lower() else "table")
            for name, kind in sorted(kinds.items())
        ]

    async def describe(self, table: str, schema: str | None = None, *, ledger: Ledger) -> Table:
        """Columns of types that are not known are left out (`impala_types`)."""
        database = schema or self._database
        if not _NAME.fullmatch(table) or table not in await self._listed(schema, ledger):
            raise UnknownTable(f"{self._store} has no table {table}. List its tables again.")

        def columns(session: Session) -> list[tuple[str, str, str]]:
            session.cursor.execute(f"DESCRIBE `{database}`.`{table}`")  # both names match `_NAME`
            return [(_text(row[0]), _text(row[1]), _text(row[2])) for row in session.cursor.fetchall()]

        found: dict[str, Column] = {}
        unread: list[str] = []
        for name, type_, comment in await self._asked(columns, ledger):
            if not name or name.startswith("#"):  # the rows that follow repeat the partition columns
                break
            described = column_type(type_)
            if described is not None:
                found.setdefault(name, Column(name, described, True, comment))
            else:
                unread.append(name)
        return Table(self._store, database, table, tuple(found.values()), unread=tuple(unread))

    async def stream(
        self, statement: Statement, *, ledger: Ledger, timeout_ms: int = DEFAULT_TIMEOUT_MS
    ) -> RecordBatches:
        async def is_there(schema: str | None, name: str) -> bool:
            return name in await self._listed(schema, ledger)

        async with (
            told_if_gone(statement.sql, IMPALA.name, store=self._store, is_there=is_there),
            aclosing(self._run(statement, ledger, timeout_ms)) as batches,
        ):
            async for batch in batches:
                yield batch

    def query(self, query: Query, *, ledger: Ledger, timeout_ms: int = DEFAULT_TIMEOUT_MS) -> RecordBatches:
        """There is no read-only mode: the SQL was checked to be a SELECT, and the data source's user limits what it may
        read.
        """
        return self._run(Statement(query.sql, (), ()), ledger, timeout_ms, described=True)

    async def _run(
        self, statement: Statement, ledger: Ledger, timeout_ms: int, *, described: bool = False
    ) -> RecordBatches:
        owned = self._pool.take()
        run = ImpalaRun(owned, statement, elsewhere=self._elsewhere, timeout_s=timeout_ms / 1000)
        batches = batches_of(
            run,
            store=self._store,
            ledger=ledger,
            timeout_ms=timeout_ms,
            failures=(*IMPALA_FAILURES, QueryCancelled),
            store_error=store_error,
            described=described,
        )
        broken = False
        try:
            async with aclosing(batches):
                async for batch in batches:
                    yield batch
        except (StoreUnavailable, StoreQueryFailed):
            broken = True
            self._pool.drop_idle()  # the other sessions may remember tables that are as old
            raise
        finally:
            self._pool.give_back(owned, usable=run.freed and not run.spoiled and not broken)

    def _elsewhere(self, function: Callable[[Session], object]) -> None:
        other = self._pool.take()
        asked = other.executor.submit(lambda: other.begun(function))
        asked.add_done_callback(self._was_ended)
        other.drop()

    def _was_ended(self, asked: Future[object]) -> None:
        if (error := asked.exception()) is not None:
            _log.warning("impala_query_may_run_on", store=self._store, error=type(error).__name__)

    async def close(self) -> None:
        self._pool.close()

    async def _listed(self, schema: str | None, ledger: Ledger) -> dict[str, str]:
        """Table types by name; empty when the database does not exist."""
        database = self._database if schema is None else schema
        if not _NAME.fullmatch(database):
            return {}

        def tables(session: Session) -> dict[str, str]:
            session.cursor.get_tables(database)
            rows = [[_text(value) for value in row] for row in session.cursor.fetchall()]
            return {row[2]: row[3] for row in rows if row[1].lower() == database.lower()}

        return await self._asked(tables, ledger)

    async def _asked(self, function: Callable[[Session], T], ledger: Ledger) -> T:
        """Makes one blocking call in a session's own thread, bounded by the socket's time-out."""
        owned = self._pool.take()
        answered = False
        with ledger.statement(self._store):
            try:
                answer = await owned.asked(function)
                answered = True
                return answer
            except IMPALA_FAILURES as error:
                self._pool.drop_idle()
                raise store_error(self._store, error) from error
            finally:
                self._pool.give_back(owned, usable=answered)


def _text(value: object) -> str:
    """Text that impyla returns as bytes, and null as None."""
    return value.decode() if isinstance(value, bytes) else str(value or "")
