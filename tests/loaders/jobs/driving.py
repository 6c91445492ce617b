"""Playing the worker by hand: start a job from its place in the queue."""

from typing import TypeAlias

import asyncpg

from loaders.jobs.attempts import Attempt, Attempts
from loaders.jobs.job import Job
from loaders.jobs.store import JobStore

Admin: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


async def queued(store: JobStore, *, lock: str | None = None) -> Job:
    return await store.create(kind="test", subject="ann", arguments={"table": "flights"}, lock=lock)


async def place_of(admin: Admin, job: Job) -> int:
    place: int = await admin.fetchval("SELECT procrastinate_job_id FROM public.jobs WHERE id = $1", job.id)
    return place


async def started(store: JobStore, attempts: Attempts, admin: Admin) -> tuple[Job, Attempt]:
    job = await queued(store)
    running = await attempts.start(job.id, queue_id=await place_of(admin, job))
    assert running is not None
    return running, Attempt(running.id, running.attempts)


async def events_of(admin: Admin, job: Job) -> list[tuple[int, str]]:
    rows = await admin.fetch("SELECT sequence, kind FROM public.job_events WHERE job_id = $1 ORDER BY sequence", job.id)
    return [(row["sequence"], row["kind"]) for row in rows]
