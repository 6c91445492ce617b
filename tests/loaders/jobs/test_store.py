import asyncio
import uuid

import asyncpg
import pytest

from loaders.errors import BadInput, Conflict, NotFound
from loaders.jobs.attempts import Attempt, Attempts
from loaders.jobs.job import State
from loaders.jobs.store import JobStore
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from tests.loaders.jobs.database import JobDatabase
from tests.loaders.jobs.driving import Admin, events_of, place_of, queued, started


async def test_created_job_is_in_the_table_and_in_the_queue(store: JobStore, admin: Admin) -> None:
    job = await queued(store, lock="flights")
    assert (job.state, job.sequence, job.attempts, job.arguments) == (State.QUEUED, 1, 0, {"table": "flights"})
    assert await store.get(job.id, ledger=Ledger()) == job
    place = await admin.fetchrow(
        "SELECT task_name, queue_name, lock, status::text, args FROM procrastinate.procrastinate_jobs WHERE id = $1",
        await place_of(admin, job),
    )
    assert place is not None
    assert tuple(place) == ("run_job", "jobs", "flights", "todo", f'{{"job_id": "{job.id}"}}')
    assert await events_of(admin, job) == [(1, "state")]


async def test_a_failed_creation_leaves_nothing_in_the_queue(store: JobStore, admin: Admin) -> None:
    count = "SELECT count(*) FROM procrastinate.procrastinate_jobs"
    before = await admin.fetchval(count)
    with pytest.raises(BadInput):
        await store.create(kind="test", subject="ann", arguments={"bad": "\x00"})  # JSONB has no NUL
    assert await admin.fetchval(count) == before


async def test_absent_job_is_none(store: JobStore) -> None:
    assert await store.get(uuid.uuid4(), ledger=Ledger()) is None


async def test_cancelling_a_queued_job_ends_it_and_its_place_runs_nothing(
    store: JobStore, attempts: Attempts, admin: Admin
) -> None:
    job = await queued(store)
    cancelled = await store.cancel(job.id)
    assert (cancelled.state, cancelled.sequence) == (State.CANCELLED, 2)
    assert cancelled.finished_at is not None
    assert await attempts.start(job.id, queue_id=await place_of(admin, job)) is None
    assert await store.cancel(job.id) == cancelled
    assert await events_of(admin, job) == [(1, "state"), (2, "state")]


async def test_cancelling_a_running_job_asks_its_worker(store: JobStore, attempts: Attempts, admin: Admin) -> None:
    job, attempt = await started(store, attempts, admin)
    asked = await store.cancel(job.id)
    assert asked.state is State.RUNNING
    assert asked.cancel_requested_at is not None
    assert await store.cancel(job.id) == asked
    assert await attempts.beat([attempt]) == {attempt: True}
    ended = await attempts.cancelled(attempt)
    assert ended is not None
    assert ended.state is State.CANCELLED
    assert await events_of(admin, job) == [(1, "state"), (2, "state"), (3, "cancel_requested"), (4, "state")]


async def test_an_ended_job_cannot_be_cancelled(store: JobStore, attempts: Attempts, admin: Admin) -> None:
    job, attempt = await started(store, attempts, admin)
    await attempts.succeed(attempt, {"rows": 1})
    with pytest.raises(Conflict, match="succeeded already"):
        await store.cancel(job.id)
    with pytest.raises(NotFound):
        await store.cancel(uuid.uuid4())


async def test_the_final_state_is_reached_once_whoever_races(store: JobStore, attempts: Attempts, admin: Admin) -> None:
    job, attempt = await started(store, attempts, admin)
    ends = await asyncio.gather(
        attempts.succeed(attempt, {"rows": 1}),
        attempts.fail(attempt, {"code": "X", "message": "x"}),
        attempts.cancelled(attempt),
        attempts.release(attempt),
    )
    assert sum(end is not None for end in ends) == 1
    assert len(await events_of(admin, job)) == 3


async def test_concurrent_events_are_numbered_without_gaps(store: JobStore, attempts: Attempts, admin: Admin) -> None:
    job, attempt = await started(store, attempts, admin)
    await asyncio.gather(*(attempts.report(attempt, progress=share / 20, message=None) for share in range(20)))
    assert [sequence for sequence, _ in await events_of(admin, job)] == list(range(1, 23))


async def test_an_attempt_that_is_over_writes_nothing(store: JobStore, attempts: Attempts, admin: Admin) -> None:
    job, first = await started(store, attempts, admin)
    await attempts.release(first)
    assert await attempts.start(job.id, queue_id=await place_of(admin, job)) is not None
    before = await events_of(admin, job)
    assert await attempts.report(first, progress=0.5, message=None) is None
    assert await attempts.succeed(first, {}) is None
    second = Attempt(job.id, first.number + 1)
    assert await attempts.beat([first]) == {}
    assert await attempts.beat([first, second]) == {second: False}  # of one worker, which has taken over its own job
    assert await events_of(admin, job) == before


async def test_a_job_is_started_once_from_its_place(store: JobStore, attempts: Attempts, admin: Admin) -> None:
    job = await queued(store)
    place = await place_of(admin, job)
    assert await attempts.start(job.id, queue_id=place + 1) is None
    starts = await asyncio.gather(*(attempts.start(job.id, queue_id=place) for _ in range(5)))
    assert sum(start is not None for start in starts) == 1


async def test_release_of_a_job_to_be_cancelled_cancels_it(store: JobStore, attempts: Attempts, admin: Admin) -> None:
    job, attempt = await started(store, attempts, admin)
    await store.cancel(job.id)
    released = await attempts.release(attempt)
    assert released is not None
    assert released.state is State.CANCELLED


async def test_the_app_role_can_only_queue(app: Postgres, database: JobDatabase) -> None:
    connection = await asyncpg.connect(database.app_url)
    try:
        for statement in (
            "UPDATE procrastinate.procrastinate_jobs SET status = 'todo'",
            "DELETE FROM procrastinate.procrastinate_jobs",
            "INSERT INTO procrastinate.procrastinate_workers DEFAULT VALUES",
            "DELETE FROM public.jobs",
            "DELETE FROM public.job_events",
            "UPDATE public.job_events SET kind = 'state'",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()
