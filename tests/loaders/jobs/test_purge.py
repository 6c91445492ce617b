"""Finished jobs are removed after a while, whoever removes them."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from loaders.errors import NotFound
from loaders.jobs import purge as purging
from loaders.jobs.attempts import Attempts
from loaders.jobs.job import Job
from loaders.jobs.purge import purge
from loaders.jobs.store import JobStore
from loaders.jobs.watch import JobWatcher
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from tests.loaders.jobs.driving import Admin, events_of, queued, started

LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)


async def finished_long_ago(store: JobStore, attempts: Attempts, admin: Admin) -> Job:
    job, attempt = await started(store, attempts, admin)
    await attempts.succeed(attempt, {})
    await admin.execute("UPDATE public.jobs SET finished_at = $2 WHERE id = $1", job.id, LONG_AGO)
    return job


async def test_what_ended_before_goes_with_its_events_and_nothing_else(
    store: JobStore, attempts: Attempts, worker: Postgres, admin: Admin, watcher: JobWatcher
) -> None:
    old = await finished_long_ago(store, attempts, admin)
    recent, attempt = await started(store, attempts, admin)
    await attempts.succeed(attempt, {})
    waiting, (running, _) = await queued(store), await started(store, attempts, admin)
    assert await purge(worker, before=LONG_AGO) == 0
    assert await purge(worker, before=LONG_AGO + timedelta(seconds=1)) == 1
    assert await store.get(old.id, ledger=Ledger()) is None
    assert await events_of(admin, old) == []
    for job in (recent, waiting, running):
        assert await store.get(job.id, ledger=Ledger()) is not None
        assert await events_of(admin, job) != []
    with pytest.raises(NotFound):
        await anext(watcher.watch(old.id, after=1))
    assert watcher.watchers == 0
    await store.cancel(waiting.id)


async def test_batches_are_bounded_and_two_workers_take_different_jobs(
    store: JobStore, attempts: Attempts, worker: Postgres, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purging, "BATCH", 3)
    jobs = [await finished_long_ago(store, attempts, admin) for _ in range(5)]
    removed = await asyncio.gather(*(purge(worker, before=LONG_AGO + timedelta(seconds=1)) for _ in range(2)))
    assert max(removed) == 3
    while found := await purge(worker, before=LONG_AGO + timedelta(seconds=1)):
        removed.append(found)
    assert sum(removed) == len(jobs)
