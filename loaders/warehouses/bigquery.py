"""A BigQuery dataset as a warehouse: queries run as jobs, and their rows come over the Storage Read API."""

import asyncio
import unicodedata
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Final, TypeVar

from google.api_core import exceptions
from google.api_core.retry import Retry
from google.cloud import bigquery

from loaders.columnar.dialect import Dialect
from loaders.columnar.statement import Parameter, Statement
from loaders.description import Table
from loaders.errors import UnknownTable
from loaders.ledger import Ledger
from loaders.warehouses.base import DEFAULT_TIMEOUT_MS, Estimate, Query, RecordBatches, RemoteTable, Scan, Scanned
from loaders.warehouses.batch_run import batches_of
from loaders.warehouses.bigquery_clients import open_clients
from loaders.warehouses.bigquery_errors import BIGQUERY_FAILURES, query_error, store_error
from loaders.warehouses.bigquery_run import BigQueryRun
from loaders.warehouses.bigquery_sql import BIGQUERY, query_parameters
from loaders.warehouses.bigquery_types import column_of
from loaders.warehouses.settings import BigQueryCredentials, BigQueryOptions

T = TypeVar("T")

_RETRY_S: Final = 3.0
_THREADS: Final = 16
_IN_NAMES: Final = frozenset({"Mn", "Mc", "Nd", "Nl", "Pc", "Pd", "Zs"})
_VIEWS: Final = frozenset({"VIEW", "MATERIALIZED_VIEW"})


class BigQueryWarehouse:
    """`schema` names another dataset of the project. BigQuery has no read-only mode: the gateway sends nothing but
    SELECT statements, and the service account's roles limit what they may read.

    A failed call is retried for at most three seconds; a job is never retried.
    """

    def __init__(self, store: str, options: BigQueryOptions, credentials: BigQueryCredentials) -> None:
        """Opens no connection yet."""
        self._store = store
        self._options = options
        self._clients = open_clients(options, credentials)
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix=store)
        self._canceller = ThreadPoolExecutor(_THREADS, thread_name_prefix=f"{store} cancel")
        self._retry = Retry(predicate=_is_transient, initial=0.2, maximum=1.0, timeout=_RETRY_S)

    @property
    def store(self) -> str:
        return self._store

    @property
    def dialect(self) -> Dialect:
        return BIGQUERY

    async def ping(self, *, ledger: Ledger) -> None:
        dataset = self._dataset(None)
        await self._blocking(
            lambda: self._clients.jobs.get_dataset(dataset, retry=self._retry, timeout=self._options.timeout_s), ledger
        )

    async def list_tables(self, schema: str | None = None, *, ledger: Ledger) -> Sequence[RemoteTable]:
        """Sizes are None, because they would cost a call for each table; `estimate` has them."""
        if schema is not None and not _is_dataset(schema):
            return []

        def listed() -> list[bigquery.table.TableListItem]:
            try:
                return list(
                    self._clients.jobs.list_tables(
                        self._dataset(schema), retry=self._retry, timeout=self._options.timeout_s
                    )
                )
            except exceptions.NotFound:
                if schema is None:
                    raise
                return []

        found = await self._blocking(listed, ledger)
        return [
            RemoteTable(item.table_id, schema, "view" if item.table_type in _VIEWS else "table")
            for item in sorted(found, key=lambda item: item.table_id)
        ]

    async def describe(self, table: str, schema: str | None = None, *, ledger: Ledger) -> Table:
        """Intervals and ranges are left out (`bigquery_types`)."""
        described = await self._table(table, schema, ledger)
        read = {field.name: column_of(field) for field in described.schema}
        columns = tuple(column for column in read.values() if column is not None)
        unread = tuple(name for name, column in read.items() if column is None)
        return Table(self._store, schema or self._options.dataset, table, columns, unread=unread)

    async def estimate(self, table: str, schema: str | None = None, *, ledger: Ledger) -> Estimate:
        """Rows from metadata. Bytes are what a dry run of reading the whole table says it would bill, for views as
        well.
        """
        described = await self._table(table, schema, ledger)
        name = f"`{described.dataset_id}`.`{described.table_id}`"

        everything = f"SELECT * FROM {name}"  # noqa: S608 - names of a table that exists, which hold no backtick
        job = await self._dry_run(everything, (), ledger)
        return Estimate(described.num_rows, job.total_bytes_processed)

    async def scan_bytes(self, scan: Scan, *, ledger: Ledger) -> int | None:
        """What a dry run says the statement would bill. A LIMIT saves nothing."""
        job = await self._dry_run(scan.statement.sql, scan.statement.parameters, ledger)
        bytes_: int | None = job.total_bytes_processed
        return bytes_

    async def forecast(self, statement: Statement, scanned: Sequence[Scanned], *, ledger: Ledger) -> Estimate:
        """Bytes are what a dry run says the statement would bill; the dry run also finds what BigQuery would refuse."""
        return Estimate(None, (await self._dry_run(statement.sql, statement.parameters, ledger)).total_bytes_processed)

    async def _dry_run(self, sql: str, parameters: Sequence[Parameter], ledger: Ledger) -> bigquery.QueryJob:
        def dry_run() -> bigquery.QueryJob:
            config = bigquery.QueryJobConfig(
                dry_run=True, use_query_cache=False, query_parameters=query_parameters(parameters)
            )
            return self._clients.jobs.query(
                sql,
                job_config=config,
                location=self._options.location,
                retry=self._retry,
                job_retry=None,
                timeout=self._options.timeout_s,
            )

        return await self._blocking(dry_run, ledger)

    async def stream(
        self, statement: Statement, *, ledger: Ledger, timeout_ms: int = DEFAULT_TIMEOUT_MS
    ) -> RecordBatches:
        limit = self._options.maximum_bytes_billed
        async with aclosing(self._run(statement, ledger, timeout_ms, maximum_bytes_billed=limit)) as batches:
            async for batch in batches:
                yield batch

    async def query(self, query: Query, *, ledger: Ledger, timeout_ms: int = DEFAULT_TIMEOUT_MS) -> RecordBatches:
        """Runs one SELECT as a job, limited to the smaller of `scanned_bytes` and the data source's
        `maximum_bytes_billed`.
        """
        limits = [limit for limit in (self._options.maximum_bytes_billed, query.scanned_bytes) if limit is not None]
        batches = self._run(
            Statement(query.sql, (), ()),
            ledger,
            timeout_ms,
            maximum_bytes_billed=min(limits) if limits else None,
            described=True,
        )
        async with aclosing(batches):
            async for batch in batches:
                yield batch

    async def _run(
        self,
        statement: Statement,
        ledger: Ledger,
        timeout_ms: int,
        *,
        maximum_bytes_billed: int | None,
        described: bool = False,
    ) -> RecordBatches:
        run = BigQueryRun(
            self._executor,
            self._canceller,
            self._clients,
            statement,
            location=self._options.location,
            dataset_location=self._location,
            maximum_bytes_billed=maximum_bytes_billed,
            retry=self._retry,
            timeout_s=timeout_ms / 1000,
        )
        batches = batches_of(
            run,
            store=self._store,
            ledger=ledger,
            timeout_ms=timeout_ms,
            failures=BIGQUERY_FAILURES,
            store_error=query_error,
            described=described,
        )
        async with aclosing(batches):
            async for batch in batches:
                yield batch

    async def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._canceller.shutdown(wait=False)
        self._clients.close()

    def _location(self) -> str:
        """The dataset's location. Blocks: call it in a worker thread."""
        dataset = self._clients.jobs.get_dataset(
            self._dataset(None), retry=self._retry, timeout=self._options.timeout_s
        )
        return str(dataset.location)

    def _dataset(self, schema: str | None) -> bigquery.DatasetReference:
        return bigquery.DatasetReference(self._options.project, schema or self._options.dataset)

    async def _table(self, table: str, schema: str | None, ledger: Ledger) -> bigquery.Table:
        if not _is_table(table) or (schema is not None and not _is_dataset(schema)):
            raise self._unknown(table)
        reference = self._dataset(schema).table(table)

        def get() -> bigquery.Table | None:
            try:
                return self._clients.jobs.get_table(reference, retry=self._retry, timeout=self._options.timeout_s)
            except exceptions.NotFound:
                return None

        found = await self._blocking(get, ledger)
        if found is None:
            raise self._unknown(table)
        return found

    async def _blocking(self, function: Callable[[], T], ledger: Ledger) -> T:
        """Makes one call in a worker thread, bounded by the client's own time-outs."""
        with ledger.statement(self._store):
            try:
                return await asyncio.get_running_loop().run_in_executor(self._executor, function)
            except BIGQUERY_FAILURES as error:
                raise store_error(self._store, error) from error

    def _unknown(self, table: str) -> UnknownTable:
        return UnknownTable(f"{self._store} has no table {table}. List its tables again.")


def _is_transient(error: Exception) -> bool:
    """Whether the same call may succeed a moment later. A refused connection does not count: nothing listens there."""
    return isinstance(error, exceptions.ServiceUnavailable | exceptions.BadGateway | exceptions.TooManyRequests)


def _is_dataset(name: str) -> bool:
    return name.isascii() and name.replace("_", "a").isalnum()


def _is_table(name: str) -> bool:
    """Letters, marks, digits, connectors, dashes and spaces: what BigQuery allows in names, and nothing that would make
    a path.
    """
    return bool(name) and all(c.isalpha() or unicodedata.category(c) in _IN_NAMES for c in name)
