"""One Flight SQL query: prepared, bound, read endpoint after endpoint and batch by batch, cancelled from any thread."""

from collections import deque
from contextlib import ExitStack

import adbc_driver_flightsql.dbapi as flight_sql
import adbc_driver_manager
import pyarrow as pa
import structlog
from adbc_driver_flightsql import StatementOptions
from pyarrow import flight

from loaders.columnar.sound import sound
from loaders.columnar.statement import Statement
from loaders.warehouses.batch_run import BatchRun
from loaders.warehouses.flight_sql_parameters import parameter_row
from loaders.warehouses.flight_sql_session import Session
from loaders.warehouses.owned import Owned

_log = structlog.get_logger(__name__)


class FlightSqlRun(BatchRun):
    """The server's work is bounded twice: by deadlines of its RPCs until rows come, and by `interrupt` at any time.

    The rows of an endpoint are asked for when those of the endpoint before it have been read.
    """

    def __init__(self, owned: Owned[Session], statement: Statement, *, timeout_s: float) -> None:
        super().__init__(owned.executor, timeout_s=timeout_s)
        self._owned = owned
        self._statement = statement
        self._deadline = str(timeout_s)
        self._cursor: flight_sql.Cursor | None = None
        self._unread: deque[bytes] = deque()
        self._reader: pa.RecordBatchReader | None = None
        self._schema: pa.Schema | None = None

    def start(self) -> None:
        self._owned.begun(self._sent)

    def _sent(self, session: Session) -> None:
        cursor = self._cursor = session.driver.cursor()
        cursor.adbc_statement.set_options(
            **{
                StatementOptions.TIMEOUT_QUERY.value: self._deadline,
                StatementOptions.TIMEOUT_UPDATE.value: self._deadline,
            }
        )
        row = parameter_row(self._statement.parameters)
        found, self._schema = cursor.adbc_execute_partitions(self._statement.sql, row)
        self._unread = deque(session.partitions(found))
        self._open_next()

    def _open_next(self) -> None:
        """The next endpoint, if there is one, which must answer with the columns of all."""
        if not self._unread:
            self._reader = None
            return
        cursor = self._asked_cursor()
        cursor.adbc_read_partition(self._unread.popleft())
        self._reader = cursor.fetch_record_batch()
        if self._schema is None:
            self._schema = self._reader.schema
        if not self._reader.schema.equals(self._schema):
            raise flight.FlightInternalError("the endpoints of an answer differ in their columns")

    def schema(self) -> pa.Schema:
        if self._schema is None:
            raise flight.FlightInternalError("the server tells neither the columns of its answer nor where to read it")
        return self._schema

    def read(self) -> pa.RecordBatch | None:
        while self._reader is not None:
            try:
                return sound(self._reader.read_next_batch())
            except StopIteration:
                self._open_next()
        return None

    def _asked_cursor(self) -> flight_sql.Cursor:
        if self._cursor is None:
            raise RuntimeError("the query was not started")
        return self._cursor

    def interrupt(self) -> None:
        cursor = self._cursor
        if cursor is None:
            return
        try:
            _cancel(cursor)
        except adbc_driver_manager.ProgrammingError:  # `free` closed it meanwhile, in its own thread
            _log.debug("flight_sql_query_was_gone")

    def free(self) -> None:
        reader, self._reader = self._reader, None
        cursor, self._cursor = self._cursor, None
        self._unread.clear()
        with ExitStack() as all_of_it:  # in reverse, and each whether those before it fail or not
            if cursor is not None:
                all_of_it.callback(cursor.close)
            if reader is not None:
                all_of_it.callback(reader.close)
            if cursor is not None:
                all_of_it.callback(_cancel, cursor)


def _cancel(cursor: flight_sql.Cursor) -> None:
    """Whichever of the two is under way: that the statement is asked, or, by its connection, that rows are read."""
    try:
        cursor.adbc_cancel()
    finally:
        cursor.connection.adbc_connection.cancel()
