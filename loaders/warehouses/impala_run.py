"""One query of a session of HiveServer2: run in the background of the server, asked about, fetched column by column."""

import threading

import impala.error
import pyarrow as pa

from loaders.columnar.statement import Statement
from loaders.warehouses.batch_run import BatchRun
from loaders.warehouses.impala_errors import QueryCancelled
from loaders.warehouses.impala_session import Session
from loaders.warehouses.impala_sql import with_values
from loaders.warehouses.impala_types import no_rows, record_batch
from loaders.warehouses.owned import Owned

_ASK_EVERY_S = 0.02
_RUNNING = ("INITIALIZED_STATE", "PENDING_STATE", "RUNNING_STATE")
_FINISHED = "FINISHED_STATE"


class ImpalaRun(BatchRun):
    """A session is not for two threads: `interrupt` only leaves a note, which the run's own thread finds."""

    def __init__(self, owned: Owned[Session], statement: Statement, *, timeout_s: float) -> None:
        super().__init__(owned.executor, timeout_s=timeout_s)
        self._owned = owned
        self._statement = statement
        self._session: Session | None = None
        self._ending = threading.Event()

    def start(self) -> None:
        self._session = self._owned.connection()
        cursor = self._session.cursor
        cursor.execute_async(with_values(self._statement))
        while (state := cursor.status()) in _RUNNING:
            if self._ending.wait(_ASK_EVERY_S):
                cursor.cancel_operation(reset_state=False)
                raise QueryCancelled
        if state != _FINISHED:
            raise impala.error.OperationalError(state)

    def schema(self) -> pa.Schema:
        return no_rows(self._started().cursor.description)

    def read(self) -> pa.RecordBatch | None:
        cursor = self._started().cursor
        if self._ending.is_set():
            raise QueryCancelled
        batch = cursor.fetchcbatch()
        return None if batch is None else record_batch(batch.columns, cursor.description)

    def _started(self) -> Session:
        if self._session is None:
            raise RuntimeError("the query was not started")
        return self._session

    def interrupt(self) -> None:
        self._ending.set()

    def free(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.cursor.close_operation()
