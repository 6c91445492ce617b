"""Parquet on S3 as a warehouse: a table is a folder of Parquet files, read by DuckDB over a pyarrow dataset."""

import asyncio
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, contextmanager, nullcontext
from functools import partial
from typing import TypeVar
from urllib.parse import urlsplit

import duckdb
import pyarrow as pa
from pyarrow import fs

from loaders.columnar.dialect import Dialect
from loaders.columnar.statement import Statement
from loaders.concurrently import concurrently
from loaders.description import Column, Table
from loaders.errors import Cancelled, StoreQueryFailed, StoreTimeout, UnknownTable
from loaders.ledger import Ledger
from loaders.warehouses.arrow_types import presented
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
from loaders.warehouses.blocking import WarehouseClosed
from loaders.warehouses.bounded import changed_meanwhile
from loaders.warehouses.duckdb_run import DuckDbRun
from loaders.warehouses.duckdb_sql import DUCKDB
from loaders.warehouses.process_places import ProcessPlaces
from loaders.warehouses.s3_datasets import Datasets
from loaders.warehouses.s3_errors import S3_FAILURES, store_error
from loaders.warehouses.s3_files import (
    BoundedDataset,
    TableFiles,
    column_bytes,
    files_of,
    open_dataset,
    row_count,
    tables_under,
)
from loaders.warehouses.s3_processes import QueryProcesses
from loaders.warehouses.settings import S3ParquetCredentials, S3ParquetOptions
from loaders.warehouses.statement_tables import tables_of

T = TypeVar("T")

_CONNECT_S = 3.0
_ATTEMPTS = 2
_THREADS = 8
_MEMORY_LIMIT = "512MB"
"""Of DuckDB, for each query. Sorts and groups beyond it fail, because nothing is spilled to disk."""


class S3Parquet:
    """A bucket, or a folder of one. A schema is a folder below the data source's prefix, and a table a folder in the
    schema.

    Tables are listed again for every read, so new files are seen at once; footers are read again only when the listing
    changed.
    """

    def __init__(
        self,
        store: str,
        options: S3ParquetOptions,
        credentials: S3ParquetCredentials,
        *,
        places: ProcessPlaces | None = None,
    ) -> None:
        """Opens no connection yet. `places` are those shared by the gateway's process; unless given, the warehouse has
        its own.
        """
        endpoint = urlsplit(options.endpoint)
        self._store = store
        self._bucket = options.bucket
        self._root = f"{options.bucket}/{options.prefix}".rstrip("/")
        self._files = fs.S3FileSystem(
            access_key=credentials.access_key.get_secret_value(),
            secret_key=credentials.secret_key.get_secret_value(),
            endpoint_override=endpoint.netloc,
            scheme=endpoint.scheme,
            region=options.region,
            connect_timeout=min(_CONNECT_S, options.timeout_s),
            request_timeout=options.timeout_s,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
        )
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix=store)
        self._datasets = Datasets(partial(open_dataset, self._files), self._executor)
        self._processes = QueryProcesses(store, options, credentials, places=places or ProcessPlaces())
        self._runs: set[DuckDbRun] = set()

    @property
    def store(self) -> str:
        return self._store

    @property
    def dialect(self) -> Dialect:
        return DUCKDB

    @property
    def running(self) -> int:
        """The number of queries whose engine has not been closed yet."""
        return len(self._runs) + self._processes.running

    async def ping(self, *, ledger: Ledger) -> None:
        def look() -> bool:
            self._files.get_file_info(fs.FileSelector(self._bucket))
            if self._root == self._bucket:
                return True
            return bool(self._files.get_file_info(fs.FileSelector(self._root, allow_not_found=True)))

        if not await self._blocking(look, ledger):
            raise StoreQueryFailed(self._store, f"{self._store}: the bucket holds nothing under `prefix`. Correct it.")

    async def list_tables(self, schema: str | None = None, *, ledger: Ledger) -> Sequence[RemoteTable]:
        """Row counts are None, because only the footers have them; `estimate` reads those."""
        root = self._folder(schema)
        if root is None:
            return []
        tables = await self._blocking(lambda: tables_under(self._files, root), ledger)
        return [RemoteTable(name, schema, "table", bytes=files.bytes) for name, files in tables.items()]

    async def describe(self, table: str, schema: str | None = None, *, ledger: Ledger) -> Table:
        """Columns that DuckDB cannot read are left out (`arrow_types`). A remote table has no key."""
        dataset, _ = await self._dataset(table, schema, ledger)
        columns = tuple(
            Column(field.name, shown.type, nullable=field.nullable) for field, shown in presented(dataset.schema)
        )
        return Table(self._store, schema, table, columns)

    async def estimate(self, table: str, schema: str | None = None, *, ledger: Ledger) -> Estimate:
        dataset, files = await self._dataset(table, schema, ledger)
        return Estimate(await self._blocking(lambda: row_count(dataset), ledger), files.bytes)

    async def scan_bytes(self, scan: Scan, *, ledger: Ledger) -> int:
        """Computed from the sizes of the column chunks in the footers."""
        dataset, _ = await self._dataset(scan.table.name, scan.table.schema, ledger)
        sizes = await self._blocking(lambda: column_bytes(dataset, frozenset(scan.columns)), ledger)
        return math.ceil(sizes.bytes * scanned_share(scan.limit, rows=sizes.rows, at_once=2 * sizes.largest_group))

    async def forecast(self, statement: Statement, scanned: Sequence[Scanned], *, ledger: Ledger) -> Estimate:
        """Rows and column chunks of all files by their footers, including partitions that the statement will skip."""
        rows = bytes_ = 0
        for each in scanned:
            dataset, _ = await self._dataset(each.table.name, each.table.schema, ledger)
            sizes = await self._blocking(partial(column_bytes, dataset, frozenset(each.columns)), ledger)
            rows, bytes_ = rows + sizes.rows, bytes_ + sizes.bytes
        return Estimate(rows, bytes_)

    async def stream(
        self, statement: Statement, *, ledger: Ledger, timeout_ms: int = DEFAULT_TIMEOUT_MS
    ) -> RecordBatches:
        named = tables_of(statement.sql, DUCKDB.name)
        async with aclosing(self._run(named, statement.sql, statement.positional, ledger, timeout_ms)) as batches:
            async for batch in batches:
                yield batch

    async def query(self, query: Query, *, ledger: Ledger, timeout_ms: int = DEFAULT_TIMEOUT_MS) -> RecordBatches:
        """Runs `query_here` in another process (`s3_process`), whose memory and time are bounded where DuckDB's own
        bounds end.
        """
        async with aclosing(self._processes.answer(query, ledger=ledger, timeout_ms=timeout_ms)) as batches:
            async for batch in batches:
                yield batch

    async def query_here(self, query: Query, *, ledger: Ledger, timeout_ms: int = DEFAULT_TIMEOUT_MS) -> RecordBatches:
        """Runs the SQL in an engine that has only views of these tables: no files, network, extensions or settings."""
        tables = [(table.schema, table.name) for table in query.tables]
        async with aclosing(self._run(tables, query.sql, (), ledger, timeout_ms, described=True)) as batches:
            async for batch in batches:
                yield batch

    async def _run(
        self,
        named: Collection[tuple[str | None, str]],
        sql: str,
        parameters: Sequence[object],
        ledger: Ledger,
        timeout_ms: int,
        *,
        described: bool = False,
    ) -> RecordBatches:
        too_long = f"{self._store}: the query took longer than {timeout_ms} ms and was cancelled."
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout_ms / 1000
        try:
            async with asyncio.timeout_at(until):
                opened = await concurrently(self._dataset(name, schema, ledger) for schema, name in named)
        except TimeoutError:
            raise StoreTimeout(self._store, too_long) from None
        datasets = {place: dataset for place, (dataset, _) in zip(named, opened, strict=True)}
        run = DuckDbRun(
            self._executor,
            memory_limit=_MEMORY_LIMIT,
            timeout_s=until - loop.time(),  # what reading the footers has left
            on_freed=self._runs.discard,
        )
        self._runs.add(run)
        rows = sent = 0
        try:
            await run.open(datasets, sql, parameters)
            while (batch := await run.next()) is not None:
                rows, sent = rows + batch.num_rows, sent + batch.nbytes
                yield _zoned(batch)
            if described and not rows:
                yield _zoned(pa.RecordBatch.from_pylist([], run.schema))
        except TimeoutError:
            raise StoreTimeout(self._store, too_long) from None
        except WarehouseClosed as error:
            raise changed_meanwhile(self._store) from error
        except duckdb.InterruptException:
            raise Cancelled(self._store, f"{self._store}: the query was cancelled.") from None
        except S3_FAILURES as error:
            raise store_error(self._store, error) from error
        finally:
            await run.close()
            ledger.record(self._store, rows=rows, bytes_=sent, ms=run.waited_s * 1000)

    async def close(self) -> None:
        for run in tuple(self._runs):
            run.interrupt()
        self._processes.close()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _folder(self, schema: str | None) -> str | None:
        """The folder's path; None when the name cannot be that of a folder directly below the prefix."""
        if schema is None:
            return self._root
        return f"{self._root}/{schema}" if _is_folder(schema) else None

    async def _dataset(self, table: str, schema: str | None, ledger: Ledger) -> tuple[BoundedDataset, TableFiles]:
        folder = self._folder(schema)
        files = None
        if folder is not None and _is_folder(table):
            root = f"{folder}/{table}"
            files = await self._blocking(lambda: files_of(self._files, root), ledger)
        if files is None:
            raise UnknownTable(f"{self._store} has no table {table}. List its tables again.")
        counted = nullcontext() if self._datasets.has(files) else ledger.statement(self._store)
        with counted, self._translating_errors():
            return await self._datasets.of(files), files

    async def _blocking(self, function: Callable[[], T], ledger: Ledger) -> T:
        """Makes one call of the S3 client in a worker thread, bounded by the client's own time-outs."""
        with ledger.statement(self._store), self._translating_errors():
            return await asyncio.get_running_loop().run_in_executor(self._executor, function)

    @contextmanager
    def _translating_errors(self) -> Iterator[None]:
        try:
            yield
        except S3_FAILURES as error:
            raise store_error(self._store, error) from error


def _is_folder(name: str) -> bool:
    """Refuses NUL as well: the S3 client cuts the text there, so the folder above would be read instead."""
    return bool(name) and not {"/", "\0"} & set(name) and not name.startswith(("_", "."))


def _zoned(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Gives timestamps without a zone the zone UTC, as which they are read. Their values stay the same."""
    schema = batch.schema
    if not any(pa.types.is_timestamp(field.type) and field.type.tz is None for field in schema):
        return batch
    fields, columns = [], []
    for field, column in zip(schema, batch.columns, strict=True):
        if pa.types.is_timestamp(field.type) and field.type.tz is None:
            field = field.with_type(pa.timestamp(field.type.unit, "UTC"))
            column = column.cast(field.type)
        fields.append(field)
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, schema=pa.schema(fields))
