"""One query in a HiveServer2 session: started asynchronously, polled, and fetched column by column."""

import threading
from collections.abc import Callable
from time import monotonic
from typing import TypeAlias

import impala.error
import pyarrow as pa
import structlog

from loaders.columnar.statement import Statement
from loaders.warehouses.batch_run import BatchRun
from loaders.warehouses.impala_errors import IMPALA_FAILURES, QueryCancelled
from loaders.warehouses.impala_session import Session
from loaders.warehouses.impala_socket import AnswerTooLarge
from loaders.warehouses.impala_sql import with_values
from loaders.warehouses.impala_types import no_rows, record_batch
from loaders.warehouses.owned import Owned

_log = structlog.get_logger(__name__)

Elsewhere: TypeAlias = Callable[[Callable[[Session], object]], object]
"""Runs the function with another session, without waiting for it."""

_ASK_EVERY_S = 0.02
_FETCH_MAY_TAKE_S = 0.1
"""How long to wait for a fetch under way when its query is to be cancelled."""
_FIRST_ROWS = 64
"""Rows of the first fetch, when the length of rows is not known yet: the server sends as many as asked for in one
message.
"""
_MOST_ROWS = 8_192
_FETCH_BYTES = 16 << 20
"""Target size of a later fetch, by the size of the rows fetched before."""
_RUNNING = ("INITIALIZED_STATE", "PENDING_STATE", "RUNNING_STATE")
_FINISHED = "FINISHED_STATE"


class ImpalaRun(BatchRun):
    """A session must not be used by two threads, so `interrupt` sets a flag, which the run's thread checks between its
    calls.

    Some engines run the query in the call that fetches its first rows, however long that takes. Then another session
    cancels the operation, and this session is `spoiled`: it must not be used again.
    """

    def __init__(self, owned: Owned[Session], statement: Statement, *, elsewhere: Elsewhere, timeout_s: float) -> None:
        super().__init__(owned.executor, timeout_s=timeout_s)
        self.spoiled = False
        self._owned = owned
        self._statement = statement
        self._elsewhere = elsewhere
        self._session: Session | None = None
        self._rows = _FIRST_ROWS
        self._ending = threading.Event()
        self._ends_at = 0.0
        self._fetched: object | None = None
        """The handle of the operation while a fetch of it is under way."""

    def start(self) -> None:
        self._session = self._owned.begun(self._sent)
        cursor = self._session.cursor
        while (state := cursor.status()) in _RUNNING:
            if self._ending.wait(_ASK_EVERY_S):
                cursor.cancel_operation(reset_state=False)
                raise QueryCancelled
        if state != _FINISHED:
            raise impala.error.OperationalError(state)

    def _sent(self, session: Session) -> Session:
        session.cursor.execute_async(with_values(self._statement))
        return session

    def schema(self) -> pa.Schema:
        return no_rows(self._started().description)

    def read(self) -> pa.RecordBatch | None:
        session = self._started()
        self._fetched = session.operation
        try:
            while not self._ending.is_set():
                batch = session.fetched(self._rows)
                if len(batch):
                    found = record_batch(batch.columns, session.description)
                    each = max(found.nbytes // len(batch), 1)
                    self._rows = min(max(_FETCH_BYTES // each, 1), _MOST_ROWS)
                    return found
                if not batch.expect_more_rows:
                    return None
                self._ending.wait(_ASK_EVERY_S)
            raise QueryCancelled
        except AnswerTooLarge:
            self._end_elsewhere(session.operation)
            raise
        finally:
            self._fetched = None

    def _started(self) -> Session:
        if self._session is None:
            raise RuntimeError("the query was not started")
        return self._session

    def interrupt(self) -> None:
        if not self._ending.is_set():
            self._ends_at = monotonic() + _FETCH_MAY_TAKE_S
            self._ending.set()
        operation = self._fetched
        if operation is not None and not self.spoiled and monotonic() >= self._ends_at:
            self._end_elsewhere(operation)

    def _end_elsewhere(self, operation: object) -> None:
        self.spoiled = True
        self._elsewhere(lambda session: session.end(operation))

    def free(self) -> None:
        session, self._session = self._session, None
        if session is None or self.spoiled:
            return
        try:
            session.cursor.close_operation()
        except IMPALA_FAILURES as error:
            self.spoiled = True
            _log.warning("impala_operation_not_closed", error=type(error).__name__)
