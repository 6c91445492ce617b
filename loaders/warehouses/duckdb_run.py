"""One DuckDB query over pyarrow datasets, in an engine of its own that is locked down, in a worker thread,
interruptible.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import structlog
from sqlglot import exp

from loaders.warehouses.arrow_types import presented
from loaders.warehouses.blocking import BlockingRun

_log = structlog.get_logger(__name__)

_BATCH_ROWS = 16_384

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": "1",
    "temp_directory": "",  # no spilling to the gateway's disk
    "python_enable_replacements": "false",  # SQL must not read this process's Python variables
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


class DuckDbRun(BlockingRun):
    """Call `open`, then `next` until it returns None, then `close`. Not for concurrent use."""

    def __init__(
        self, executor: Executor, *, memory_limit: str, timeout_s: float, on_freed: Callable[["DuckDbRun"], object]
    ) -> None:
        """`on_freed` is called once, from any thread, after the engine was closed."""
        super().__init__(executor, timeout_s=timeout_s)
        self._on_freed = on_freed
        self._config = _CONFIG | {"memory_limit": memory_limit}
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._reader: pa.RecordBatchReader | None = None

    async def open(
        self,
        datasets: Mapping[tuple[str | None, str], ds.Dataset],
        sql: str,
        parameters: Sequence[object],
    ) -> None:
        """Starts the query over the datasets, which it sees as tables (schema, name).

        Like `next`, raises `TimeoutError` when the time is used up, `duckdb.InterruptException` after `interrupt`, and
        `duckdb.Error` or what pyarrow raised when the query fails.
        """

        def start() -> None:
            self._connection = connection = duckdb.connect(":memory:", config=self._config)
            for setting in _SESSION:
                connection.execute(setting)
            for place, ((folder, name), dataset) in enumerate(datasets.items()):
                source = f"{_SOURCE} {place}"
                connection.register(source, dataset)
                for statement in _views(dataset.schema, source, folder, name):
                    connection.execute(statement)
            relation = connection.sql(sql, params=list(parameters))
            self._reader = relation.to_arrow_reader(_BATCH_ROWS)

        await self.call(start)

    @property
    def schema(self) -> pa.Schema:
        """The schema of the batches."""
        return self._open_reader().schema

    async def next(self) -> pa.RecordBatch | None:
        """The next batch; None at the end."""
        reader = self._open_reader()

        def read() -> pa.RecordBatch | None:
            try:
                return reader.read_next_batch()
            except StopIteration:
                return None

        return await self.call(read)

    def _open_reader(self) -> pa.RecordBatchReader:
        if self._reader is None:
            raise RuntimeError("the query was not opened")
        return self._reader

    def interrupt(self) -> None:
        """Makes the call that runs, if any, fail with `duckdb.InterruptException`."""
        connection = self._connection
        if connection is None:
            return
        try:
            connection.interrupt()
        except duckdb.ConnectionException:  # closed by `free` meanwhile, in the run's thread
            _log.debug("duckdb_query_was_gone")

    def free(self) -> None:
        reader, self._reader = self._reader, None
        connection, self._connection = self._connection, None
        with ExitStack() as all_of_it:  # closes in reverse order; a failure of one keeps none of the others open
            all_of_it.callback(self._on_freed, self)
            if connection is not None:
                all_of_it.callback(connection.close)
            if reader is not None:
                all_of_it.callback(reader.close)


def _views(schema: pa.Schema, registered: str, folder: str | None, name: str) -> list[str]:
    """The statements that make the view a query reads: columns presented by their types, under the table's own name."""
    target = exp.table_(name, db=folder, quoted=True)
    source = exp.table_(registered, db="temp", quoted=True)
    query = exp.select(*_projections(schema)).from_(source)
    view = exp.Create(this=target, kind="VIEW", expression=query)
    if folder is None:
        return [view.sql(dialect="duckdb")]
    return [
        exp.Create(this=exp.table_("", db=folder, quoted=True), kind="SCHEMA", exists=True).sql(dialect="duckdb"),
        view.sql(dialect="duckdb"),
    ]


def _projections(schema: pa.Schema) -> list[exp.Expr]:
    selected: list[exp.Expr] = []
    for field, shown in presented(schema):
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
