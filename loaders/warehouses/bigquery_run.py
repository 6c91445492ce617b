"""One BigQuery query: a job, then its result as one stream of the Storage Read API."""

import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TypeVar

import pyarrow as pa
import structlog
from google.api_core import exceptions
from google.api_core.retry import Retry
from google.cloud import bigquery
from google.cloud.bigquery_storage_v1 import types

from loaders.columnar.sound import read_sound
from loaders.columnar.statement import Statement
from loaders.warehouses.batch_run import BatchRun
from loaders.warehouses.bigquery_clients import Clients
from loaders.warehouses.bigquery_errors import BIGQUERY_FAILURES
from loaders.warehouses.bigquery_sql import query_parameters

T = TypeVar("T")
_log = structlog.get_logger(__name__)

_CALL_S = 20.0
"""Time-out of one call over HTTP or gRPC. A long job is polled."""
_CANCEL_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)
_BATCH_ROWS = 16_384
_RESUMABLE = (exceptions.ServiceUnavailable, exceptions.InternalServerError)


class BigQueryRun(BatchRun):
    """Reads one stream, because the rows of several streams have no order among each other.

    When the run is freed, a job that was requested and is not known to have ended is cancelled by its id, even when its
    insertion was never answered.
    """

    def __init__(
        self,
        executor: Executor,
        canceller: ThreadPoolExecutor,
        clients: Clients,
        statement: Statement,
        *,
        location: str | None,
        dataset_location: Callable[[], str],
        maximum_bytes_billed: int | None,
        retry: Retry,
        timeout_s: float,
    ) -> None:
        """`location` is the data source's setting; `dataset_location` looks up the location of its dataset."""
        super().__init__(executor, timeout_s=timeout_s)
        self._canceller = canceller
        self._clients = clients
        self._statement = statement
        self._location = location
        self._dataset_location = dataset_location
        self._maximum_bytes = maximum_bytes_billed
        self._retry = retry
        self._job_id = f"axion-{uuid.uuid4()}"
        self._job: bigquery.QueryJob | None = None
        self._asked = False
        self._cancelled = False
        self._freed = threading.Event()
        self._finished = False
        self._responses: Iterable[types.ReadRowsResponse] | None = None
        self._batches: Iterator[pa.RecordBatch] = iter(())
        self._schema: pa.Schema | None = None

    def start(self) -> None:
        jobs = self._clients.jobs
        config = bigquery.QueryJobConfig(
            query_parameters=query_parameters(self._statement.parameters),
            job_timeout_ms=max(round(self._timeout_s * 1000), 1),
            use_query_cache=True,
        )
        if self._maximum_bytes is not None:
            config.maximum_bytes_billed = self._maximum_bytes
        self._asked = True
        try:
            self._job = job = jobs.query(
                self._statement.sql,
                job_config=config,
                job_id=self._job_id,
                location=self._location,
                retry=self._retry,
                job_retry=None,
                timeout=_CALL_S,
            )
        except exceptions.Conflict:  # the insertion was retried, because the first answer was lost
            self._job = job = self._existing_job()
        except exceptions.ClientError:
            self._asked = False
            raise
        if self._cancelled:
            self._cancel_elsewhere()
        job.result(max_results=0, retry=self._retry, job_retry=None)
        self._finished = True
        self._batches = self._read(job)

    def schema(self) -> pa.Schema:
        """Available once `read` was called."""
        if self._schema is None:
            raise RuntimeError("the query was not read")
        return self._schema

    def read(self) -> pa.RecordBatch | None:
        return next(self._batches, None)

    def interrupt(self) -> None:
        """Returns at once: the calls it needs are made in another thread."""
        if not self._cancelled:
            self._cancelled = True
            self._cancel_elsewhere()

    def _cancel_elsewhere(self) -> None:
        try:
            self._canceller.submit(self._cancel_all)
        except RuntimeError:  # the warehouse was closed meanwhile, its threads take no more work
            threading.Thread(target=self._cancel_all, name=f"{self._job_id} cancel").start()

    def free(self) -> None:
        self._cancelled = True
        self._freed.set()
        self._close_stream()
        self._batches = iter(())
        if self._asked and not self._ended():
            self._cancel()

    def _existing_job(self) -> bigquery.QueryJob:
        found = self._located(
            lambda location: self._clients.jobs.get_job(
                self._job_id, location=location, retry=self._retry, timeout=_CALL_S
            )
        )
        if not isinstance(found, bigquery.QueryJob):
            raise TypeError(f"the job is a {type(found).__name__}, not a query")
        return found

    def _ended(self) -> bool:
        return self._finished or (self._job is not None and self._job.state == "DONE")

    def _cancel_all(self) -> None:
        """Repeats the cancel while the job runs: BigQuery answers before the job has ended, and does not promise that
        it will.
        """
        self._close_stream()
        for pause_s in _CANCEL_PAUSES_S:
            if self._job is None or self._ended():
                return
            self._cancel()
            if self._freed.wait(pause_s):
                return

    def _cancel(self) -> None:
        """Cancels the job once. Without an answer the job may run on until its own time-out, which is logged."""
        try:
            self._located(
                lambda location: self._clients.jobs.cancel_job(
                    self._job_id, location=location, retry=self._retry, timeout=_CALL_S
                )
            )
        except exceptions.NotFound:
            return  # it was never inserted
        except BIGQUERY_FAILURES as error:
            _log.warning("bigquery_job_not_cancelled", job=self._job_id, error=type(error).__name__)

    def _located(self, ask: Callable[[str | None], T]) -> T:
        """Makes a call that needs the job's location, which BigQuery requires outside of the US and EU multi-regions.
        The location is that of the job's insertion, else the dataset's. `NotFound` when the job is in neither.
        """
        location = self._location if self._job is None else self._job.location
        try:
            return ask(location)
        except exceptions.NotFound:
            if location is not None:
                raise
            return ask(self._dataset_location())

    def _close_stream(self) -> None:
        responses, self._responses = self._responses, None
        if responses is not None:
            responses.cancel()  # type: ignore[attr-defined]  # the generated annotation lacks `cancel`

    def _read(self, job: bigquery.QueryJob) -> Iterator[pa.RecordBatch]:
        session = self._session(job)
        self._schema = schema = pa.ipc.read_schema(pa.py_buffer(session.arrow_schema.serialized_schema))
        if not session.streams:
            return
        name, offset, failures = session.streams[0].name, 0, 0
        while True:
            try:
                self._responses = responses = self._clients.storage.read_rows(
                    read_stream=name, offset=offset, retry=None, timeout=None
                )
                for response in responses:
                    message = pa.py_buffer(response.arrow_record_batch.serialized_record_batch)
                    batch = read_sound(message, schema)
                    offset, failures = offset + batch.num_rows, 0
                    for start in range(0, batch.num_rows, _BATCH_ROWS):
                        yield batch.slice(start, _BATCH_ROWS)
                return
            except _RESUMABLE:  # resumes at the offset reached, once
                failures += 1
                if failures > 1 or self._cancelled:
                    raise

    def _session(self, job: bigquery.QueryJob) -> types.ReadSession:
        table = job.destination
        return self._clients.storage.create_read_session(
            parent=f"projects/{job.project}",
            read_session=types.ReadSession(
                table=f"projects/{table.project}/datasets/{table.dataset_id}/tables/{table.table_id}",
                data_format=types.DataFormat.ARROW,
            ),
            max_stream_count=1,
            retry=self._retry,
            timeout=_CALL_S,
        )
