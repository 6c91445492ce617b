"""One DuckDB query over one pyarrow dataset: an engine of its own, locked down, in a worker thread, interruptible."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from time import perf_counter
from typing import TypeVar

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
from sqlglot import exp

from loaders.warehouses.arrow_types import presentation

T = TypeVar("T")

_BATCH_ROWS = 16_384
_AGAIN_S = 0.02
_GRACE_S = 1.0
"""How long a cancelled query is waited for. Beyond it (S3 hangs) its thread ends alone, at the S3 request time-out."""

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": "1",
    "temp_directory": "",  # no spilling to the gateway's disk
    "python_enable_replacements": "false",  # SQL must not see this process's variables
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
}
_SESSION = (
    "SET TimeZone = 'UTC'",
    "SET streaming_buffer_size = '1MB'",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)
_SOURCE = "axion source"


class DuckDbRun:
    """`open`, then `next` until it answers None, then `close`; not for concurrent use.

    Every engine call runs in `executor`. A call that is cancelled, or waits beyond its time-out, interrupts the query.
    """

    def __init__(
        self, executor: Executor, *, memory_limit: str, timeout_s: float, on_freed: Callable[["DuckDbRun"], object]
    ) -> None:
        """`timeout_s` bounds `waited_s`, the time spent inside `open` and `next` together.

        `on_freed` is called once, from any thread, when the engine is gone.
        """
        self._on_freed = on_freed
        self.waited_s = 0.0
        self._timeout_s = timeout_s
        self._executor = executor
        self._config = _CONFIG | {"memory_limit": memory_limit}
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._reader: pa.RecordBatchReader | None = None
        self._pending: Future[object] | None = None

    async def open(
        self,
        dataset: ds.Dataset,
        table: tuple[str | None, str],
        sql: str,
        parameters: Sequence[object],
    ) -> None:
        """Starts the query over the dataset, which it sees as `table` (schema, name).

        Like `next`: `TimeoutError` when time is up, `duckdb.InterruptException` after `interrupt`, `duckdb.Error` or
        what pyarrow raised when the query fails.
        """

        def start() -> None:
            self._connection = connection = duckdb.connect(":memory:", config=self._config)
            for setting in _SESSION:
                connection.execute(setting)
            connection.register(_SOURCE, dataset)
            for statement in _views(dataset.schema, *table):
                connection.execute(statement)
            relation = connection.sql(sql, params=list(parameters))
            self._reader = relation.to_arrow_reader(_BATCH_ROWS)

        await self._call(start)

    async def next(self) -> pa.RecordBatch | None:
        """The next batch; None at the end."""
        reader = self._reader
        if reader is None:
            raise RuntimeError("the query was not opened")

        def read() -> pa.RecordBatch | None:
            try:
                return reader.read_next_batch()
            except StopIteration:
                return None

        return await self._call(read)

    async def close(self) -> None:
        """Interrupts what runs and frees the engine; returns when it is gone, or after the grace time."""
        pending, self._pending = self._pending, None
        if pending is None or pending.done():
            self._free()
            return
        freed = asyncio.get_running_loop().create_future()
        pending.add_done_callback(lambda _: self._free())
        pending.add_done_callback(lambda _: _notify(freed))
        pending.cancel()
        for _ in range(round(_GRACE_S / _AGAIN_S)):
            self.interrupt()  # again and again, because one that comes just before the query has begun is lost
            if (await asyncio.wait([freed], timeout=_AGAIN_S))[0]:
                return

    def interrupt(self) -> None:
        """Makes the call that runs, if any, fail with `duckdb.InterruptException`. From any thread."""
        connection = self._connection
        if connection is not None:
            connection.interrupt()

    def _free(self) -> None:
        reader, self._reader = self._reader, None
        connection, self._connection = self._connection, None
        if reader is not None:
            reader.close()
        if connection is not None:
            connection.close()
        self._on_freed(self)

    async def _call(self, function: Callable[[], T]) -> T:
        started = perf_counter()
        future: Future[T] = self._executor.submit(function)
        self._pending = future  # type: ignore[assignment]  # Future is invariant; only its state is asked
        answer = asyncio.wrap_future(future)
        answer.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # asked for when abandoned, too
        try:
            done, _ = await asyncio.wait([answer], timeout=max(self._timeout_s - self.waited_s, 0.0))
        finally:
            self.waited_s += perf_counter() - started
        if not done:
            raise TimeoutError
        return answer.result()


def _notify(freed: asyncio.Future[None]) -> None:
    loop = freed.get_loop()
    if not loop.is_closed():
        loop.call_soon_threadsafe(lambda: None if freed.done() else freed.set_result(None))


def _views(schema: pa.Schema, folder: str | None, name: str) -> list[str]:
    """The view the statement reads: columns as their kinds say, under the names it knows."""
    target = exp.table_(name, db=folder, quoted=True)
    source = exp.table_(_SOURCE, db="temp", quoted=True)
    query = exp.select(*_projections(schema)).from_(source)
    view = exp.Create(this=target, kind="VIEW", expression=query)
    if folder is None:
        return [view.sql(dialect="duckdb")]
    return [
        exp.Create(this=exp.table_("", db=folder, quoted=True), kind="SCHEMA").sql(dialect="duckdb"),
        view.sql(dialect="duckdb"),
    ]


def _projections(schema: pa.Schema) -> list[exp.Expr]:
    selected: list[exp.Expr] = []
    for field in schema:
        shown = presentation(field.type)
        if shown is None:
            continue
        column = exp.column(field.name, quoted=True)
        match shown.how:
            case "plain":
                selected.append(column)
            case "text":
                selected.append(exp.alias_(exp.cast(column, "VARCHAR"), field.name, quoted=True))
            case "json":
                text = exp.cast(exp.Anonymous(this="to_json", expressions=[column]), "VARCHAR")
                selected.append(exp.alias_(text, field.name, quoted=True))
    return selected
