"""How procrastinate's worker gives up a place in the queue, when it may be gone already."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import structlog
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status
from procrastinate.manager import JobManager
from psycopg.errors import RaiseException

_log = structlog.get_logger(__name__)


class Places(JobManager):
    """Where `Recovery` has discarded the place of a worker that seemed to be gone, nothing is left to be done: the job
    has another place, or has ended. Procrastinate would raise in a task that nobody awaits.
    """

    async def finish_job_by_id_async(self, job_id: int, status: Status, delete_job: bool) -> None:
        with _if_there(job_id):
            await super().finish_job_by_id_async(job_id, status, delete_job)

    async def retry_job_by_id_async(
        self,
        job_id: int,
        retry_at: datetime,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        with _if_there(job_id):
            await super().retry_job_by_id_async(job_id, retry_at, priority, queue, lock)


@contextmanager
def _if_there(queue_id: int) -> Iterator[None]:
    """The SQL functions raise for a place that is gone, with PL/pgSQL's own SQLSTATE."""
    try:
        yield
    except ConnectorException as error:
        if not isinstance(error.__cause__, RaiseException):
            raise
        _log.info("place_was_discarded", queue_id=queue_id)
