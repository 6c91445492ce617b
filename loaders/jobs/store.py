"""Jobs as the API needs them: start one, look one up, cancel one."""

import uuid
from dataclasses import dataclass

from sqlalchemy import func, insert, select, update

from loaders.errors import Conflict, NotFound
from loaders.jobs import changes, queue
from loaders.jobs.changes import CANCELS_CHANNEL, COLUMNS, JOBS
from loaders.jobs.job import EventKind, Job, JsonObject, State, job_of
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres, WriteSession
from loaders.tables.uuid7 import uuid7

STORE = "axion_sense_tasks"
"""The database of the job store, by its public name."""


@dataclass(frozen=True, slots=True)
class JobStore:
    """Over database `axion_sense_tasks` under the `_app` role. Raises `StoreError`s of that store."""

    postgres: Postgres

    async def create(self, *, kind: str, subject: str, arguments: JsonObject, lock: str | None = None) -> Job:
        """A queued job: in the table and in the queue, or in neither. Jobs of one `lock` run one after another."""
        async with self.postgres.transaction() as session:
            return await create_within(session, kind=kind, subject=subject, arguments=arguments, lock=lock)

    async def get(self, job_id: uuid.UUID, *, ledger: Ledger, subject: str | None = None) -> Job | None:
        """`None` without such a job, or without one of that `subject`."""
        rows = await self.postgres.fetch(_GET, job_id, subject, ledger=ledger)
        return job_of(rows[0]) if rows else None

    async def cancel(self, job_id: uuid.UUID) -> Job:
        """A queued job is cancelled at once; a running one is asked to stop and ends once its worker has stopped it.

        Repeating it changes nothing. `NotFound` without such a job, `Conflict` when it has ended otherwise.
        """
        async with self.postgres.transaction() as session:
            return await cancel_within(session, job_id)


async def create_within(
    session: WriteSession,
    *,
    kind: str,
    subject: str,
    arguments: JsonObject,
    lock: str | None = None,
    job_id: uuid.UUID | None = None,
) -> Job:
    """As `JobStore.create`, in the caller's transaction. `job_id` is that of no other job; a new one unless given."""
    job_id = job_id or uuid7()
    queue_id = await queue.defer(session, job_id, lock=lock)
    row = insert(JOBS).values(
        id=job_id,
        kind=kind,
        state=State.QUEUED.value,
        subject=subject,
        arguments=arguments,
        procrastinate_job_id=queue_id,
        sequence=1,
    )
    job = job_of((await session.execute(row.returning(*COLUMNS))).mappings().one())
    await changes.announce(session, job, EventKind.STATE, {"state": job.state.value, "attempt": 0})
    return job


async def cancel_within(session: WriteSession, job_id: uuid.UUID) -> Job:
    """As `JobStore.cancel`, in the caller's transaction."""
    job = await changes.one(session, select(*COLUMNS).where(JOBS.c.id == job_id).with_for_update())
    if job is None:
        raise NotFound(f"There is no job {job_id}.")
    if job.state is State.CANCELLED or (job.state is State.RUNNING and job.cancel_requested_at is not None):
        return job
    if job.state.is_final:
        raise Conflict(f"Job {job_id} has {job.state.value} already; there is nothing to cancel.")
    asked = update(JOBS).where(JOBS.c.id == job_id).values(cancel_requested_at=func.now())
    if job.state is State.QUEUED:
        changed = await changes.end(session, asked, State.CANCELLED)
    else:
        changed = await changes.change(session, asked, EventKind.CANCEL_REQUESTED, lambda job: {})
        await changes.notify(session, CANCELS_CHANNEL, job)
    return changed or job


_OF = "id = $1 AND ($2::text IS NULL OR subject = $2)"
_GET = f"SELECT {', '.join(column.name for column in COLUMNS)} FROM public.jobs WHERE {_OF}"  # noqa: S608 - names of the model's own columns
