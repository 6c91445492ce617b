"""Jobs whose worker is gone: put into the queue anew, or ended. Run by every worker, now and then; they may race."""

from dataclasses import dataclass

from sqlalchemy import select, text, update

from loaders.jobs import changes, queue
from loaders.jobs.changes import COLUMNS, JOBS
from loaders.jobs.job import Job, JsonObject, State, job_of
from loaders.postgres.client import Postgres, WriteSession

WORKER_LOST: JsonObject = {"code": "INTERNAL_ERROR", "message": "The worker that ran the job went away."}

# Running without a heartbeat; or queued, with a place in the queue that no living worker holds and none will take.
_LOST = text(
    "SELECT job.id FROM public.jobs AS job "
    "LEFT JOIN procrastinate.procrastinate_jobs AS place ON place.id = job.procrastinate_job_id "
    "LEFT JOIN procrastinate.procrastinate_workers AS worker ON worker.id = place.worker_id "
    "WHERE (job.state = 'running' AND job.heartbeat_at < now() - make_interval(secs => :stale)) "
    "OR (job.state = 'queued' AND (place.id IS NULL OR place.status NOT IN ('todo', 'doing') "
    "OR (place.status = 'doing' AND "
    "(worker.id IS NULL OR worker.last_heartbeat < now() - make_interval(secs => :stale))))) "
    "ORDER BY job.id LIMIT 100 FOR UPDATE OF job SKIP LOCKED"
)


@dataclass(frozen=True, slots=True)
class Recovery:
    """Over database `axion_sense_tasks` under the `_worker` role.

    `max_attempts` bounds how often a job is started in all when its workers keep dying.
    """

    postgres: Postgres
    stale_after_s: float
    max_attempts: int

    async def run(self) -> list[Job]:
        """The jobs it changed, at most 100; a job that cannot be written now is left for the next run."""
        async with self.postgres.transaction() as session:
            lost = (await session.execute(_LOST, {"stale": self.stale_after_s})).scalars().all()
            rows = await session.execute(
                select(*COLUMNS, JOBS.c.procrastinate_job_id).where(JOBS.c.id.in_(lost)).order_by(JOBS.c.id)
            )
            return [await self._recover(session, job_of(row), row["procrastinate_job_id"]) for row in rows.mappings()]

    async def _recover(self, session: WriteSession, job: Job, queue_id: int | None) -> Job:
        row = update(JOBS).where(JOBS.c.id == job.id)
        if queue_id is not None:
            lock = await queue.discard(session, queue_id)
        else:
            lock = None
        if job.cancel_requested_at is not None:
            changed = await changes.end(session, row, State.CANCELLED)
        elif job.state is State.RUNNING and job.attempts >= self.max_attempts:
            changed = await changes.end(session, row.values(error=WORKER_LOST), State.FAILED)
        else:
            place = await queue.defer(session, job.id, lock=lock)
            changed = await changes.requeue(
                session, row.values(procrastinate_job_id=place), error=WORKER_LOST, delay_s=0.0
            )
        return changed or job
