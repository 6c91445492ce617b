"""Writes of a worker. Each carries the attempt that `start` returned: once the job was given to another worker, or has
ended, writes of the first worker match no row and answer `None`.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Update, and_, select, text, update

from loaders.jobs import changes
from loaders.jobs.changes import COLUMNS, JOBS
from loaders.jobs.job import EventKind, Job, JsonObject, State
from loaders.postgres.client import Postgres


@dataclass(frozen=True, slots=True)
class Attempt:
    """One start of a job: the token its writes are checked against."""

    job_id: uuid.UUID
    number: int


@dataclass(frozen=True, slots=True)
class Attempts:
    """Over database `axion_sense_tasks` under the `_worker` role. Raises `StoreError`s of that store."""

    postgres: Postgres

    async def start(self, job_id: uuid.UUID, *, queue_id: int) -> Job | None:
        """The job, now running; `job.attempts` is the number of this attempt. `None` if it must not run from this place
        in the queue: it was cancelled, has ended, or was queued anew.
        """
        place = and_(JOBS.c.id == job_id, JOBS.c.procrastinate_job_id == queue_id)
        async with self.postgres.transaction() as session:
            return await changes.begin(session, update(JOBS).where(place, JOBS.c.state == State.QUEUED.value))

    async def report(self, attempt: Attempt, *, progress: float | None, message: str | None) -> Job | None:
        """Progress is a share, 0 to 1."""
        async with self.postgres.transaction() as session:
            reported = _running(attempt).values(progress=progress, message=message)
            payload: JsonObject = {"progress": progress, "message": message}
            return await changes.change(session, reported, EventKind.PROGRESS, lambda job: payload)

    async def succeed(self, attempt: Attempt, result: JsonObject) -> Job | None:
        async with self.postgres.transaction() as session:
            return await changes.end(session, _running(attempt).values(result=result, progress=1.0), State.SUCCEEDED)

    async def fail(self, attempt: Attempt, error: JsonObject) -> Job | None:
        async with self.postgres.transaction() as session:
            return await changes.end(session, _running(attempt).values(error=error), State.FAILED)

    async def cancelled(self, attempt: Attempt) -> Job | None:
        """The worker has stopped the job."""
        async with self.postgres.transaction() as session:
            return await changes.end(session, _running(attempt), State.CANCELLED)

    async def release(self, attempt: Attempt, *, error: JsonObject | None = None, delay_s: float = 0.0) -> Job | None:
        """Queues the job again, from its place in the queue; cancels it if that was asked for meanwhile."""
        async with self.postgres.transaction() as session:
            job = await changes.one(session, select(*COLUMNS).where(_is_running(attempt)).with_for_update())
            if job is None:
                return None
            if job.cancel_requested_at is not None:
                return await changes.end(session, _running(attempt), State.CANCELLED)
            return await changes.requeue(session, _running(attempt), error=error, delay_s=delay_s)

    async def beat(self, attempts: Sequence[Attempt]) -> dict[Attempt, bool]:
        """The heartbeat of these attempts. Returns, by attempt, whether to cancel it; one that is over is missing, also
        if the job's next attempt is among them.
        """
        numbers = {"ids": [attempt.job_id for attempt in attempts], "numbers": [attempt.number for attempt in attempts]}
        async with self.postgres.transaction() as session:
            return {Attempt(row.id, row.attempts): row.cancel for row in await session.execute(_BEAT, numbers)}


_BEAT = text(
    "UPDATE public.jobs AS job SET heartbeat_at = now() "
    "FROM unnest(CAST(:ids AS uuid[]), CAST(:numbers AS integer[])) AS attempt (id, number) "
    "WHERE job.id = attempt.id AND job.attempts = attempt.number AND job.state = 'running' "
    "RETURNING job.id, job.attempts, job.cancel_requested_at IS NOT NULL AS cancel"
)


def _is_running(attempt: Attempt) -> ColumnElement[bool]:
    own = and_(JOBS.c.id == attempt.job_id, JOBS.c.attempts == attempt.number)
    return and_(own, JOBS.c.state == State.RUNNING.value)


def _running(attempt: Attempt) -> Update:
    return update(JOBS).where(_is_running(attempt))
