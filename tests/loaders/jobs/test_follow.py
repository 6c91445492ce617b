"""All jobs that fit are followed: none is missed, and those that change faster than they are read are told as one."""

import asyncio
from contextlib import aclosing
from typing import Any, cast

import pytest

from loaders.errors import StoreUnavailable
from loaders.jobs import follow as following
from loaders.jobs.attempts import Attempts
from loaders.jobs.follow import Fits, JobFollowing
from loaders.jobs.job import Job, State
from loaders.jobs.store import JobStore
from loaders.jobs.watch import JobWatcher
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from tests.loaders.jobs.driving import Admin, queued, started
from tests.loaders.jobs.test_watch import LISTENERS
from tests.waiting import until as waited


async def until(jobs: Any, wanted: Job, state: State) -> list[Job]:
    """What is told up to that state of the job."""
    told: list[Job] = []
    async with asyncio.timeout(20):
        while not told or (told[-1].id, told[-1].state) != (wanted.id, state):
            told.append(await anext(jobs))
    return told


async def test_what_is_open_and_what_changes(
    watcher: JobWatcher, store: JobStore, attempts: Attempts, admin: Admin
) -> None:
    over = await store.cancel((await queued(store)).id)
    waiting = await queued(store)
    async with aclosing(watcher.follow(Fits("ann"))) as jobs:
        told = await until(jobs, waiting, State.QUEUED)
        assert over.id not in {job.id for job in told}
        running, attempt = await started(store, attempts, admin)
        for part in range(20):
            await attempts.report(attempt, progress=part / 20, message=None)
        await attempts.succeed(attempt, {"n": 1})
        told = [job for job in await until(jobs, running, State.SUCCEEDED) if job.id == running.id]
        assert (told[-1].result, len({job.sequence for job in told})) == ({"n": 1}, len(told))
        assert len(told) <= 23
        assert watcher.followers == 1
    assert watcher.followers == 0
    await store.cancel(waiting.id)


async def test_only_what_fits_is_told(watcher: JobWatcher, store: JobStore) -> None:
    mine = Fits("bob", frozenset({"wanted"}), frozenset({State.QUEUED, State.CANCELLED}))
    async with aclosing(watcher.follow(mine)) as jobs:
        following_ = asyncio.ensure_future(anext(jobs))
        for kind, subject in (("wanted", "ann"), ("other", "bob"), ("wanted", "bob")):
            job = await store.create(kind=kind, subject=subject, arguments={})
            if (kind, subject) != ("wanted", "bob"):
                await store.cancel(job.id)
        async with asyncio.timeout(20):
            assert (await following_).id == job.id
        await store.cancel(job.id)
        assert {each.id for each in await until(jobs, job, State.CANCELLED)} == {job.id}


async def test_a_killed_listen_connection_misses_nothing(watcher: JobWatcher, store: JobStore, admin: Admin) -> None:
    async with aclosing(watcher.follow(Fits("ann"))) as jobs:
        first = await queued(store)
        await until(jobs, first, State.QUEUED)
        await admin.fetch(f"SELECT pg_terminate_backend(pid) FROM ({LISTENERS}) AS listeners")
        short = await store.cancel((await queued(store)).id)  # began and ended unheard
        await store.cancel(first.id)
        told = {(job.id, job.state) for job in await until(jobs, short, State.CANCELLED)}
        if (first.id, State.CANCELLED) not in told:
            await until(jobs, first, State.CANCELLED)


async def test_who_does_not_read_is_told_to_follow_again(
    watcher: JobWatcher, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "PENDING", 3)
    async with aclosing(watcher.follow(Fits("slow"))) as slow, aclosing(watcher.follow(Fits("slow"))) as quick:
        first = await store.create(kind="test", subject="slow", arguments={})
        for jobs in (slow, quick):
            await until(jobs, first, State.QUEUED)
        many = []
        for _ in range(10):  # whether the last of them are those that were too many or not
            many.append(await store.create(kind="test", subject="slow", arguments={}))
            await until(quick, many[-1], State.QUEUED)
        with pytest.raises(StoreUnavailable, match="Follow again"):
            await anext(slow)
    for job in [first, *many]:
        await store.cancel(job.id)


async def test_closing_ends_the_followers(watcher: JobWatcher, store: JobStore) -> None:
    jobs = watcher.follow(Fits("nobody"))
    waiting = asyncio.ensure_future(anext(jobs))

    async def follows() -> bool:
        return watcher.followers == 1

    await waited(follows)
    await watcher.close()
    with pytest.raises(StoreUnavailable):
        await waiting


class Late:
    """The database, whose first answer is held back."""

    def __init__(self, app: Postgres) -> None:
        self.store, self._app, self._is_first = app.store, app, True
        self.answered, self.let = asyncio.Event(), asyncio.Event()

    async def fetch(self, sql: str, *values: object, ledger: Ledger) -> list[Any]:
        is_first, self._is_first = self._is_first, False
        rows = list(await self._app.fetch(sql, *values, ledger=ledger))
        if is_first:
            self.answered.set()
            await self.let.wait()
        return rows


async def test_what_was_read_first_and_comes_last_hides_nothing(store: JobStore, app: Postgres) -> None:
    job, late = await queued(store), Late(app)
    following_ = JobFollowing(cast(Postgres, late))
    async with aclosing(following_.follow(Fits("ann"))) as jobs:
        told = asyncio.ensure_future(anext(jobs))
        await late.answered.wait()
        await store.cancel(job.id)
        following_.wake(job.id)
        (follower,) = following_._followers
        await follower.arrived.wait()
        late.let.set()
        async with asyncio.timeout(20):
            found = await told
            while found.id != job.id:
                found = await anext(jobs)
        assert found.state is State.CANCELLED
