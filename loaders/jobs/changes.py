"""Changes of a job within a transaction: the row, its event (numbered without gaps), and a wake-up at commit.

Legal changes are conditions in WHERE, so a final state is reached exactly once, whatever races.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Table, Update, func, insert, select
from sqlalchemy.sql.base import Executable

from loaders.jobs.job import JOB_COLUMNS, EventKind, Job, JsonObject, State, job_of
from loaders.postgres.client import WriteSession
from loaders.tables.axion_sense_tasks import jobs as tables

EVENTS_CHANNEL = "axion_jobs"
"""NOTIFY channel: a job has a new event; the payload is the job's id."""

CANCELS_CHANNEL = "axion_job_cancels"
"""NOTIFY channel: a running job shall be cancelled; the payload is the job's id."""

JOBS: Table = tables.Job.metadata.tables["public.jobs"]
JOB_EVENTS: Table = tables.Job.metadata.tables["public.job_events"]
COLUMNS: tuple[Any, ...] = tuple(JOBS.c[name] for name in JOB_COLUMNS)


async def one(session: WriteSession, statement: Executable) -> Job | None:
    """The job a statement over `COLUMNS` answers."""
    row = (await session.execute(statement)).mappings().one_or_none()
    return None if row is None else job_of(row)


async def announce(session: WriteSession, job: Job, kind: EventKind, payload: JsonObject) -> None:
    """Adds the event numbered `job.sequence`, and wakes its watchers when the transaction commits."""
    await session.execute(
        insert(JOB_EVENTS).values(job_id=job.id, sequence=job.sequence, kind=kind.value, payload=payload)
    )
    await notify(session, EVENTS_CHANNEL, job)


async def notify(session: WriteSession, channel: str, job: Job) -> None:
    await session.execute(select(func.pg_notify(channel, str(job.id))))


async def change(
    session: WriteSession, update: Update, kind: EventKind, payload: Callable[[Job], JsonObject]
) -> Job | None:
    """Runs the update of one row and announces it. `None`, without an event, if its WHERE matched no row."""
    numbered = update.values(sequence=JOBS.c.sequence + 1).returning(*COLUMNS)
    job = await one(session, numbered)
    if job is not None:
        await announce(session, job, kind, payload(job))
    return job


async def end(session: WriteSession, update: Update, state: State) -> Job | None:
    """Brings a row the update matches to a final state."""
    ended = update.values(state=state.value, finished_at=func.now())
    return await change(session, ended, EventKind.STATE, _state)


async def requeue(session: WriteSession, update: Update, *, error: JsonObject | None, delay_s: float) -> Job | None:
    """Queues the job again. `error` is the reason, shown to watchers; the `error` column is for failed jobs only."""
    queued = update.values(state=State.QUEUED.value, heartbeat_at=None, progress=None, message=None)

    def payload(job: Job) -> JsonObject:
        return _state(job) | {"error": error, "retryInSeconds": delay_s}

    return await change(session, queued, EventKind.STATE, payload)


async def begin(session: WriteSession, update: Update) -> Job | None:
    """To running, one attempt more."""
    started = update.values(
        state=State.RUNNING.value,
        attempts=JOBS.c.attempts + 1,
        started_at=func.coalesce(JOBS.c.started_at, func.now()),
        heartbeat_at=func.now(),
    )
    return await change(session, started, EventKind.STATE, _state)


def _state(job: Job) -> JsonObject:
    payload: JsonObject = {"state": job.state.value, "attempt": job.attempts}
    return payload | {"error": job.error} if job.error is not None else payload
