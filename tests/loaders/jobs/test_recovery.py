from loaders.jobs.attempts import Attempt, Attempts
from loaders.jobs.job import Job, State
from loaders.jobs.recovery import Recovery
from loaders.jobs.store import JobStore
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from tests.loaders.jobs.driving import Admin, events_of, place_of, queued, started

MAX_ATTEMPTS = 2


def recovery(worker: Postgres) -> Recovery:
    return Recovery(worker, stale_after_s=30.0, max_attempts=MAX_ATTEMPTS)


async def grow_stale(admin: Admin, job: Job) -> None:
    await admin.execute("UPDATE public.jobs SET heartbeat_at = now() - interval '31 s' WHERE id = $1", job.id)


def of(job: Job, recovered: list[Job]) -> Job | None:
    return next((each for each in recovered if each.id == job.id), None)


async def test_a_job_of_a_silent_worker_gets_a_new_place(
    store: JobStore, attempts: Attempts, worker: Postgres, admin: Admin
) -> None:
    job, lost = await started(store, attempts, admin)
    old = await place_of(admin, job)
    assert of(job, await recovery(worker).run()) is None
    await grow_stale(admin, job)
    again = of(job, await recovery(worker).run())
    assert again is not None
    assert again.state is State.QUEUED
    new = await place_of(admin, job)
    assert new != old
    places = await admin.fetch("SELECT id FROM procrastinate.procrastinate_jobs WHERE id IN ($1, $2)", old, new)
    assert [row["id"] for row in places] == [new]
    assert await attempts.succeed(lost, {}) is None  # the first worker was only slow: it is refused
    assert await attempts.start(job.id, queue_id=old) is None
    assert await attempts.start(job.id, queue_id=new) is not None
    assert [kind for _, kind in await events_of(admin, job)] == ["state"] * 4


async def test_a_job_whose_workers_keep_dying_fails(
    store: JobStore, attempts: Attempts, worker: Postgres, admin: Admin
) -> None:
    job, _ = await started(store, attempts, admin)
    await grow_stale(admin, job)
    await recovery(worker).run()
    second = await attempts.start(job.id, queue_id=await place_of(admin, job))
    assert second is not None
    assert second.attempts == MAX_ATTEMPTS
    await grow_stale(admin, job)
    failed = of(job, await recovery(worker).run())
    assert failed is not None
    assert failed.state is State.FAILED
    assert failed.error == {"code": "INTERNAL_ERROR", "message": "The worker that ran the job went away."}
    assert of(job, await recovery(worker).run()) is None
    assert await attempts.fail(Attempt(job.id, 2), {}) is None


async def test_a_lost_job_that_was_to_be_cancelled_is_cancelled(
    store: JobStore, attempts: Attempts, worker: Postgres, admin: Admin
) -> None:
    job, _ = await started(store, attempts, admin)
    await store.cancel(job.id)
    await grow_stale(admin, job)
    ended = of(job, await recovery(worker).run())
    assert ended is not None
    assert ended.state is State.CANCELLED


async def test_a_queued_job_no_worker_will_take_is_queued_anew(store: JobStore, worker: Postgres, admin: Admin) -> None:
    taken_by_the_dead, without_place, waiting = await queued(store), await queued(store), await queued(store)
    await admin.execute(
        "UPDATE procrastinate.procrastinate_jobs SET status = 'doing', worker_id = NULL WHERE id = $1",
        await place_of(admin, taken_by_the_dead),
    )
    await admin.execute(
        "DELETE FROM procrastinate.procrastinate_jobs WHERE id = $1", await place_of(admin, without_place)
    )
    recovered = {job.id for job in await recovery(worker).run()}
    assert {taken_by_the_dead.id, without_place.id} <= recovered
    assert waiting.id not in recovered
    for job in (taken_by_the_dead, without_place):
        status = await admin.fetchval(
            "SELECT status::text FROM procrastinate.procrastinate_jobs WHERE id = $1", await place_of(admin, job)
        )
        assert status == "todo"
        now = await store.get(job.id, ledger=Ledger())
        assert now is not None
        assert now.state is State.QUEUED


async def test_the_lock_moves_to_the_new_place(
    store: JobStore, attempts: Attempts, worker: Postgres, admin: Admin
) -> None:
    job = await queued(store, lock="one-at-a-time")
    assert await attempts.start(job.id, queue_id=await place_of(admin, job)) is not None
    await grow_stale(admin, job)
    await recovery(worker).run()
    lock = await admin.fetchval(
        "SELECT lock FROM procrastinate.procrastinate_jobs WHERE id = $1", await place_of(admin, job)
    )
    assert lock == "one-at-a-time"
