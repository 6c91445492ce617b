import asyncio
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from loaders.errors import BadInput, NotFound, StoreError, StoreUnavailable
from loaders.jobs.attempts import Attempt, Attempts
from loaders.jobs.job import EventKind, Job, JobEvent, Snapshot
from loaders.jobs.store import JobStore
from loaders.jobs.watch import PENDING, JobWatcher
from loaders.postgres.client import Postgres
from tests.loaders.jobs.database import JobDatabase
from tests.loaders.jobs.driving import Admin, queued, started
from tests.waiting import until

Item = Snapshot | JobEvent
LISTENERS = (
    "SELECT pid, usename FROM pg_stat_activity"
    " WHERE application_name = 'axion-listener' AND datname = current_database()"
)


async def listens(admin: Admin, *, times: int = 1) -> bool:
    return len(await admin.fetch(LISTENERS)) == times


async def watched(watcher: JobWatcher, job: Job, after: int | None = None) -> list[Item]:
    """Everything a watcher is told until the end."""
    async with asyncio.timeout(20):
        return [item async for item in watcher.watch(job.id, after=after)]


async def begun(watcher: JobWatcher, job: Job) -> AsyncGenerator[Item, None]:
    """A watcher that has its snapshot."""
    stream = watcher.watch(job.id)
    assert isinstance(await anext(stream), Snapshot)
    return stream


async def rest(stream: AsyncGenerator[Item, None]) -> list[int]:
    async with asyncio.timeout(20):
        return [item.sequence async for item in stream if isinstance(item, JobEvent)]


async def report(attempts: Attempts, attempt: Attempt, times: int) -> None:
    for number in range(times):
        await attempts.report(attempt, progress=number / times, message=f"part {number}")


async def test_a_job_is_watched_to_its_end(
    watcher: JobWatcher, store: JobStore, attempts: Attempts, admin: Admin
) -> None:
    job, attempt = await started(store, attempts, admin)
    stream = await begun(watcher, job)
    await report(attempts, attempt, 3)
    await attempts.succeed(attempt, {"rows": 7})
    async with asyncio.timeout(20):
        *before, last = [item async for item in stream]
    assert not any(item.is_final for item in before)
    assert last.is_final
    assert isinstance(last, JobEvent)
    assert (last.sequence, last.kind, last.payload) == (6, EventKind.STATE, {"state": "succeeded", "attempt": 1})
    assert watcher.watchers == 0


async def test_each_event_comes_once_and_in_order(
    watcher: JobWatcher, store: JobStore, attempts: Attempts, admin: Admin
) -> None:
    job, attempt = await started(store, attempts, admin)
    stream = await begun(watcher, job)
    telling = asyncio.create_task(rest(stream))
    await report(attempts, attempt, 50)
    await attempts.succeed(attempt, {})
    assert await telling == list(range(3, 54))


@pytest.mark.parametrize("after", [0, 1, 4, 5])
async def test_resuming_after_n_tells_exactly_what_follows(
    watcher: JobWatcher, store: JobStore, attempts: Attempts, admin: Admin, after: int
) -> None:
    job, attempt = await started(store, attempts, admin)
    await report(attempts, attempt, 3)
    telling = asyncio.create_task(watched(watcher, job, after))
    await until(lambda: watcher.watchers == 1)
    await attempts.succeed(attempt, {})
    told = await telling
    assert [item.sequence for item in told if isinstance(item, JobEvent)] == list(range(after + 1, 7))
    assert len(told) == 6 - after
    assert [item.is_final for item in told] == [False] * (5 - after) + [True]


async def test_an_ended_job_is_one_snapshot(
    watcher: JobWatcher, store: JobStore, attempts: Attempts, admin: Admin
) -> None:
    job = await store.cancel((await queued(store)).id)
    assert await watched(watcher, job) == [Snapshot(job)]
    assert Snapshot(job).is_final
    assert await watched(watcher, job, after=job.sequence) == []


async def test_resuming_an_ended_job_tells_its_end_once(watcher: JobWatcher, store: JobStore) -> None:
    job = await store.cancel((await queued(store)).id)
    first, final = await watched(watcher, job, after=0)
    assert (first.is_final, final.is_final) == (False, True)


@pytest.mark.parametrize("after", [-1, 2])
async def test_after_must_be_one_of_its_events(watcher: JobWatcher, store: JobStore, after: int) -> None:
    with pytest.raises(BadInput, match="numbered 1 to 1"):
        await watched(watcher, await queued(store), after=after)
    assert watcher.watchers == 0


async def test_an_absent_job_is_not_found(watcher: JobWatcher, store: JobStore) -> None:
    with pytest.raises(NotFound):
        await anext(watcher.watch(uuid.uuid4()))
    assert watcher.watchers == 0


async def test_a_killed_listen_connection_loses_and_doubles_nothing(
    watcher: JobWatcher, store: JobStore, attempts: Attempts, admin: Admin
) -> None:
    job, attempt = await started(store, attempts, admin)
    stream = await begun(watcher, job)
    telling = asyncio.create_task(rest(stream))
    for part in range(30):
        if part % 10 == 5:
            await until(lambda: listens(admin))
            await admin.fetch(f"SELECT pg_terminate_backend(pid) FROM ({LISTENERS}) AS listeners")
        await attempts.report(attempt, progress=part / 30, message=None)
    await attempts.succeed(attempt, {})
    assert await telling == list(range(3, 34))


async def test_500_watchers_share_one_connection_and_leave_nothing(
    watcher: JobWatcher, store: JobStore, attempts: Attempts, admin: Admin
) -> None:
    running = [await started(store, attempts, admin) for _ in range(10)]
    streams = [await begun(watcher, running[number % 10][0]) for number in range(500)]
    assert watcher.watchers == 500
    assert len(await admin.fetch(LISTENERS)) == 1
    telling = [asyncio.create_task(rest(stream)) for stream in streams]
    for _, attempt in running:
        await report(attempts, attempt, 2)
        await attempts.succeed(attempt, {})
    assert await asyncio.gather(*telling) == [[3, 4, 5]] * 500
    assert watcher.watchers == 0


async def test_watchers_who_leave_early_leave_nothing(watcher: JobWatcher, store: JobStore) -> None:
    job = await queued(store)
    async with aclosing(watcher.watch(job.id)) as stream:
        await anext(stream)
        assert watcher.watchers == 1
    assert watcher.watchers == 0
    waiting = asyncio.create_task(watched(watcher, job))
    await until(lambda: watcher.watchers == 1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert watcher.watchers == 0


async def test_a_slow_reader_misses_progress_but_no_change_of_state(
    watcher: JobWatcher, store: JobStore, attempts: Attempts, admin: Admin
) -> None:
    job, attempt = await started(store, attempts, admin)
    slow = await begun(watcher, job)
    # The watcher's place is read from once it asks for an event; what follows it does not take until the end.
    await attempts.report(attempt, progress=0.0, message="first")
    first = await anext(slow)
    assert isinstance(first, JobEvent)
    keeping_up = await begun(watcher, job)
    kept_up = asyncio.create_task(rest(keeping_up))
    times = PENDING * 2 + 10
    await report(attempts, attempt, times)
    await attempts.release(attempt)
    await store.cancel(job.id)
    assert await kept_up == list(range(4, 4 + times + 2))
    told = [item async for item in slow if isinstance(item, JobEvent)]
    assert len(told) <= PENDING + 2
    states = [item.payload["state"] for item in told if item.kind is EventKind.STATE]
    assert states == ["queued", "cancelled"]
    newest_progress = [item.sequence for item in told if item.kind is EventKind.PROGRESS][-1]
    assert newest_progress == 3 + times
    sequences = [item.sequence for item in told]
    assert sequences == sorted(set(sequences))


async def test_a_long_history_is_read_in_pages(
    watcher: JobWatcher, store: JobStore, attempts: Attempts, admin: Admin
) -> None:
    job, attempt = await started(store, attempts, admin)
    await admin.execute(
        "INSERT INTO public.job_events (job_id, sequence, kind, payload) "
        "SELECT $1, number, CASE WHEN number % 100 = 0 THEN 'cancel_requested' ELSE 'progress' END, '{}' "
        "FROM generate_series(3, 3000) AS number",
        job.id,
    )
    await admin.execute("UPDATE public.jobs SET sequence = 3000 WHERE id = $1", job.id)
    await attempts.succeed(attempt, {})
    told = [item for item in await watched(watcher, job, after=0) if isinstance(item, JobEvent)]
    kept = [item.sequence for item in told if item.kind is not EventKind.PROGRESS]
    assert kept == [1, 2, *range(100, 3001, 100), 3001]


async def test_one_read_serves_many_jobs(
    database: JobDatabase, app: Postgres, watcher: JobWatcher, store: JobStore, attempts: Attempts, admin: Admin
) -> None:
    running = [await started(store, attempts, admin) for _ in range(40)]
    telling = [asyncio.create_task(rest(await begun(watcher, job))) for job, _ in running]
    async with admin.transaction():  # one commit: all notifications at once
        for job, _ in running:
            await admin.execute(
                "UPDATE public.jobs SET sequence = 3, state = 'cancelled', finished_at = now() WHERE id = $1", job.id
            )
            await admin.execute(
                "INSERT INTO public.job_events (job_id, sequence, kind, payload) VALUES ($1, 3, 'state', $2)",
                job.id,
                '{"state": "cancelled", "attempt": 1}',
            )
            await admin.execute("SELECT pg_notify('axion_jobs', $1)", str(job.id))
    assert await asyncio.gather(*telling) == [[3]] * 40


async def test_closing_ends_the_watchers(app: Postgres, database: JobDatabase, store: JobStore) -> None:
    watcher = JobWatcher(app, database.app_url)
    watcher.start()
    stream = await begun(watcher, await queued(store))
    waiting = asyncio.create_task(rest(stream))
    await asyncio.sleep(0)
    await watcher.close()
    with pytest.raises(StoreUnavailable, match="Watch again"):
        await waiting
    with pytest.raises(StoreUnavailable):
        await anext(watcher.watch(uuid.uuid4()))


async def test_a_database_that_is_away_is_said_at_once_and_waited_for(
    database: JobDatabase, store: JobStore, attempts: Attempts, admin: Admin, app: Postgres
) -> None:
    job, attempt = await started(store, attempts, admin)
    watcher = JobWatcher(app, database.app_url, patience_s=0.5)
    watcher.start()
    try:
        telling = asyncio.create_task(rest(await begun(watcher, job)))
        ((_, role),) = await admin.fetch(LISTENERS)  # of this database: gateways of others listen on the same server
        await admin.execute(f'ALTER ROLE "{role}" NOLOGIN')
        try:
            await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", role)
            await until(lambda: listens(admin, times=0))
            with pytest.raises(StoreError):  # unavailable, or the role refused: whichever is noticed first
                async with asyncio.timeout(10):
                    await anext(watcher.watch(job.id))
            await attempts.succeed(attempt, {})
        finally:
            await admin.execute(f'ALTER ROLE "{role}" LOGIN')
        assert await telling == [3]
    finally:
        await watcher.close()


async def test_a_replaced_connection_is_the_only_one(watcher: JobWatcher, store: JobStore, admin: Admin) -> None:
    stream = await begun(watcher, await queued(store))
    (before,) = await admin.fetch(LISTENERS)
    await admin.execute("SELECT pg_terminate_backend($1)", before["pid"])

    async def replaced() -> bool:
        listening = await admin.fetch(LISTENERS)
        return bool(listening) and before not in listening

    await until(replaced)
    assert len(await admin.fetch(LISTENERS)) == 1
    await stream.aclose()
