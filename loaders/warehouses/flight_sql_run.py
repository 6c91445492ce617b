"""One Flight SQL query: prepared, bound, read batch by batch, cancelled from any thread."""

from contextlib import ExitStack

import adbc_driver_flightsql.dbapi as flight_sql
import adbc_driver_manager
import pyarrow as pa
import structlog
from adbc_driver_flightsql import StatementOptions

from loaders.columnar.statement import Statement
from loaders.warehouses.batch_run import BatchRun
from loaders.warehouses.flight_sql_parameters import parameter_row
from loaders.warehouses.owned import Owned

_log = structlog.get_logger(__name__)

_BATCHES_AHEAD = "1"


class FlightSqlRun(BatchRun):
    """The server's work is bounded twice: by deadlines of its RPCs until rows come, and by `interrupt` at any time."""

    def __init__(self, owned: Owned[flight_sql.Connection], statement: Statement, *, timeout_s: float) -> None:
        super().__init__(owned.executor, timeout_s=timeout_s)
        self._owned = owned
        self._statement = statement
        self._deadline = str(timeout_s)
        self._cursor: flight_sql.Cursor | None = None
        self._reader: pa.RecordBatchReader | None = None

    def start(self) -> None:
        self._reader = self._owned.begun(self._sent)

    def _sent(self, connection: flight_sql.Connection) -> pa.RecordBatchReader:
        cursor = self._cursor = connection.cursor()
        cursor.adbc_statement.set_options(
            **{
                StatementOptions.TIMEOUT_QUERY.value: self._deadline,
                StatementOptions.TIMEOUT_UPDATE.value: self._deadline,
                StatementOptions.TIMEOUT_FETCH.value: "0",  # of the whole answer, its reader's time included
                StatementOptions.QUEUE_SIZE.value: _BATCHES_AHEAD,
            }
        )
        cursor.execute(self._statement.sql, parameter_row(self._statement.parameters))
        return cursor.fetch_record_batch()

    def schema(self) -> pa.Schema:
        return self._open_reader().schema

    def read(self) -> pa.RecordBatch | None:
        try:
            return self._open_reader().read_next_batch()
        except StopIteration:
            return None

    def _open_reader(self) -> pa.RecordBatchReader:
        if self._reader is None:
            raise RuntimeError("the query was not started")
        return self._reader

    def interrupt(self) -> None:
        cursor = self._cursor
        if cursor is None:
            return
        try:
            cursor.adbc_cancel()
        except adbc_driver_manager.ProgrammingError:  # `free` closed it meanwhile, in its own thread
            _log.debug("flight_sql_query_was_gone")

    def free(self) -> None:
        reader, self._reader = self._reader, None
        cursor, self._cursor = self._cursor, None
        with ExitStack() as all_of_it:  # in reverse, and each whether those before it fail or not
            if cursor is not None:
                all_of_it.callback(cursor.close)
            if reader is not None:
                all_of_it.callback(reader.close)
            if cursor is not None:
                all_of_it.callback(cursor.adbc_cancel)
