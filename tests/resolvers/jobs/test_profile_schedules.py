"""Scheduled refreshes under a given clock: each due time is started once, however many workers look."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, update

from gateway.settings import Settings
from gateway.stores import open_stores
from loaders.errors import Forbidden, NotFound, StoreUnavailable, UnknownColumn
from loaders.jobs.job import Job, JobEvent, State
from loaders.jobs.store import JobStore
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.client import Checked, OpenFga
from loaders.openfga.tuples import Check, RelationTuple
from loaders.stores import Stores
from loaders.tables.axion_gen.profile_schedules import TableProfileSchedule
from loaders.tables.axion_sense.public import User
from resolvers.jobs.kinds.table_profile_refresh import Refresh
from resolvers.jobs.watch import watch_job
from resolvers.profiles import due_schedules
from resolvers.profiles.recurrence import Interval
from resolvers.profiles.schedule import end_schedule, resume_schedule, set_schedule
from tests.conformance.rows import ODD_NAME
from tests.resolvers.jobs.conftest import Someone, registered, working

TABLES = ("every_type", "no_rows", "large", ODD_NAME)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
async def nothing_left(stores: Stores, jobs_settings: Settings) -> AsyncIterator[None]:
    """Schedules and jobs of these tests are these tests'."""
    yield
    async with stores.postgres["axion_gen"].transaction() as session:
        await session.execute(delete(TableProfileSchedule))
    tasks = JobStore(stores.postgres["axion_sense_tasks"])
    for job in await jobs(stores):
        if not State(job["state"]).is_final:
            await tasks.cancel(job["id"])


@pytest.fixture(scope="module")
async def workers(jobs_settings: Settings) -> AsyncIterator[Sequence[Stores]]:
    """The stores of two workers."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(open_stores(jobs_settings, role="worker")) for _ in range(2)]


async def start_due(stores: Stores, now: datetime) -> None:
    await due_schedules.start_due(
        stores.postgres["axion_gen"], stores.postgres["axion_sense_tasks"], stores.openfga, now=now
    )


async def settle(stores: Stores) -> None:
    await due_schedules.settle(stores.postgres["axion_gen"], stores.postgres["axion_sense_tasks"])


async def jobs(stores: Stores) -> Sequence[Any]:
    sql = "SELECT id, state, subject, arguments->>'tableName' AS table_name FROM public.jobs ORDER BY created_at"
    return await stores.postgres["axion_sense_tasks"].fetch(sql, ledger=Ledger())


async def schedule(stores: Stores, id_: UUID) -> Any:
    sql = "SELECT * FROM public.table_profile_schedules WHERE id = $1"
    (row,) = await stores.postgres["axion_gen"].fetch(sql, id_, ledger=Ledger())
    return row


async def ended(person: Someone, job_id: UUID) -> Job:
    async with asyncio.timeout(30):
        assert [item async for item in watch_job(person.context(), job_id, after=0) if isinstance(item, JobEvent)]
    found = await JobStore(person.stores.postgres["axion_sense_tasks"]).get(job_id, ledger=Ledger())
    assert found is not None
    return found


async def test_each_time_is_started_once_by_two_workers(
    admin: Someone, stores: Stores, workers: Sequence[Stores], clickhouse_dataset: UUID
) -> None:
    before = {job["id"] for job in await jobs(stores)}
    ids = [await set_schedule(admin.context(), Refresh(clickhouse_dataset, name), Interval(60)) for name in TABLES]
    at = max([(await schedule(stores, id_))["next_run_at"] for id_ in ids])
    await asyncio.gather(*(start_due(worker, at - HOUR) for worker in workers))
    assert {job["id"] for job in await jobs(stores)} == before
    await asyncio.gather(*(start_due(worker, at) for worker in [*workers, *workers]))
    started = [job for job in await jobs(stores) if job["id"] not in before]
    assert sorted(job["table_name"] for job in started) == sorted(TABLES)
    assert {job["subject"] for job in started} == {admin.id}
    for id_ in ids:
        row = await schedule(stores, id_)
        assert row["last_job_id"] in {job["id"] for job in started}
        assert (row["last_run_at"], row["last_state"]) == (at, None)
        assert at < row["next_run_at"] <= at + HOUR


async def test_a_worker_that_dies_between_the_databases_starts_nothing_twice(
    admin: Someone, stores: Stores, workers: Sequence[Stores], clickhouse_dataset: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = await set_schedule(admin.context(), Refresh(clickhouse_dataset, "no_rows"), Interval(60))
    at = (await schedule(stores, id_))["next_run_at"]
    before = {job["id"] for job in await jobs(stores)}

    async def dies(*_: object) -> None:
        raise StoreUnavailable("axion_gen", "gone")

    with monkeypatch.context() as patched:
        patched.setattr(due_schedules, "_advance", dies)
        with pytest.raises(StoreUnavailable):
            await start_due(workers[0], at)
    (started,) = [job["id"] for job in await jobs(stores) if job["id"] not in before]
    assert (await schedule(stores, id_))["last_job_id"] is None
    await start_due(workers[1], at)
    assert [job["id"] for job in await jobs(stores) if job["id"] not in before] == [started]
    row = await schedule(stores, id_)
    assert (row["last_job_id"], row["next_run_at"]) == (started, at + HOUR)


async def test_downtime_is_caught_up_once_and_a_run_under_way_is_skipped(
    admin: Someone, stores: Stores, workers: Sequence[Stores], clickhouse_dataset: UUID
) -> None:
    id_ = await set_schedule(admin.context(), Refresh(clickhouse_dataset, "no_rows", sample_rows=0), Interval(60))
    at = (await schedule(stores, id_))["next_run_at"]
    before = len(await jobs(stores))
    late = at + 10 * HOUR + timedelta(minutes=7)
    await start_due(workers[0], late)
    await start_due(workers[1], late)
    assert len(await jobs(stores)) == before + 1
    row = await schedule(stores, id_)
    assert (row["last_run_at"], row["next_run_at"], row["last_skipped_at"]) == (late, at + 11 * HOUR, None)
    job_id = row["last_job_id"]
    await start_due(workers[0], at + 11 * HOUR)
    row = await schedule(stores, id_)
    assert (row["last_job_id"], row["last_skipped_at"], row["next_run_at"]) == (
        *(job_id, at + 11 * HOUR, at + 12 * HOUR),
    )
    assert len(await jobs(stores)) == before + 1
    await settle(workers[0])
    assert (await schedule(stores, id_))["last_state"] is None


async def test_what_came_of_it_is_told_and_it_goes_on(
    admin: Someone, stores: Stores, workers: Sequence[Stores], clickhouse_dataset: UUID, jobs_settings: Settings
) -> None:
    asked = Refresh(clickhouse_dataset, "large", sample_rows=10)
    id_ = await set_schedule(admin.context(), asked, Interval(60))
    at = (await schedule(stores, id_))["next_run_at"]
    await start_due(workers[0], at)
    first = (await schedule(stores, id_))["last_job_id"]
    async with working(jobs_settings):
        job = await ended(admin, first)
    assert (job.state, job.arguments) == (
        State.SUCCEEDED,
        {"datasetId": str(clickhouse_dataset), "tableName": "large", "sampleRows": 10},
    )
    await asyncio.gather(*(settle(worker) for worker in workers))
    row = await schedule(stores, id_)
    assert (row["last_state"], row["last_error"], row["last_job_id"]) == ("succeeded", None, first)
    await start_due(workers[1], at + HOUR)
    row = await schedule(stores, id_)
    assert row["last_job_id"] != first
    assert (row["last_state"], row["last_run_at"]) == (None, at + HOUR)


async def test_who_lost_the_right_has_a_schedule_that_is_paused_until_somebody_resumes_it(
    admin: Someone, stranger: Someone, stores: Stores, workers: Sequence[Stores], clickhouse_dataset: UUID
) -> None:
    granted = RelationTuple(names.user(stranger.id), "admin", names.SYSTEM)
    await stores.openfga.write([granted], ledger=Ledger())
    try:
        id_ = await set_schedule(stranger.context(), Refresh(clickhouse_dataset, "no_rows"), Interval(60))
        others = await set_schedule(admin.context(), Refresh(clickhouse_dataset, "large", sample_rows=0), Interval(60))
    finally:
        await stores.openfga.write(deletes=[granted], ledger=Ledger())
    at = max([(await schedule(stores, each))["next_run_at"] for each in (id_, others)])
    before = {job["id"] for job in await jobs(stores)}
    await asyncio.gather(*(start_due(worker, at) for worker in workers))
    (started,) = [job for job in await jobs(stores) if job["id"] not in before]
    assert (started["subject"], started["table_name"]) == (admin.id, "large")
    row = await schedule(stores, id_)
    assert (row["next_run_at"], row["last_job_id"], row["paused_at"] is None) == (None, None, False)
    assert "does not administer the dataset any more" in row["pause_reason"]
    (entry,) = await audited(stores, "profile_schedule.paused")
    assert (entry["actor"], entry["resource"]) == ("", names.dataset(clickhouse_dataset))
    assert stranger.id in entry["context"]
    for worker in workers:
        await start_due(worker, at + 10 * HOUR)
    assert (await schedule(stores, id_))["last_job_id"] is None
    with pytest.raises(NotFound):
        await resume_schedule(stranger.context(), clickhouse_dataset, "no_rows")
    with pytest.raises(NotFound):
        await resume_schedule(admin.context(), clickhouse_dataset, "every_type")
    assert await resume_schedule(admin.context(), clickhouse_dataset, "no_rows") == id_
    row = await schedule(stores, id_)
    assert (row["owner_subject"], row["paused_at"], row["pause_reason"]) == (admin.id, None, None)
    assert len(await audited(stores, "profile_schedule.resumed")) == 1
    assert await resume_schedule(admin.context(), clickhouse_dataset, "no_rows") == id_
    assert len(await audited(stores, "profile_schedule.resumed")) == 1
    await start_due(workers[0], row["next_run_at"])
    assert (await schedule(stores, id_))["last_job_id"] is not None


class Silent(OpenFga):
    """Says nothing of one user, as OpenFGA does where a check of a batch fails; all else is asked of it."""

    def __init__(self, openfga: OpenFga, user: str) -> None:
        self._openfga = openfga
        self._user = user
        self.asked = 0

    async def batch_check(self, subject_id: str, checks: Iterable[Check], *, ledger: Ledger) -> Checked:
        if subject_id == self._user:
            self.asked += 1
            return Checked(frozenset(), frozenset(checks))
        return await self._openfga.batch_check(subject_id, checks, ledger=ledger)


async def test_those_without_a_verdict_stand_before_no_other(
    admin: Someone,
    stranger: Someone,
    stores: Stores,
    workers: Sequence[Stores],
    clickhouse_dataset: UUID,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor do jobs that are not over, among those whose end is to be told."""
    monkeypatch.setattr(due_schedules, "BATCH", 1)
    granted = RelationTuple(names.user(stranger.id), "admin", names.SYSTEM)
    await stores.openfga.write([granted], ledger=Ledger())
    try:
        silent = [
            await set_schedule(stranger.context(), Refresh(clickhouse_dataset, table), Interval(60))
            for table in ("no_rows", "every_type")
        ]
    finally:
        await stores.openfga.write(deletes=[granted], ledger=Ledger())
    behind = [
        await set_schedule(admin.context(), Refresh(clickhouse_dataset, table, sample_rows=0), Interval(60))
        for table in ("large", ODD_NAME)
    ]
    at = (await schedule(stores, behind[-1]))["next_run_at"]
    gen, tasks = workers[0].postgres["axion_gen"], workers[0].postgres["axion_sense_tasks"]
    openfga = Silent(workers[0].openfga, stranger.id)
    await due_schedules.start_due(gen, tasks, openfga, now=at)
    assert openfga.asked == 2
    assert [(await schedule(stores, each))["last_run_at"] for each in behind] == [at, at]
    for each in silent:
        row = await schedule(stores, each)
        assert (row["last_job_id"], row["paused_at"], row["next_run_at"] <= at) == (None, None, True)
    first, second = [(await schedule(stores, each))["last_job_id"] for each in behind]
    assert first < second
    await JobStore(stores.postgres["axion_sense_tasks"]).cancel(second)
    await due_schedules.settle(gen, tasks)
    assert [(await schedule(stores, each))["last_state"] for each in behind] == [None, "cancelled"]


async def test_whoever_is_no_longer_active_has_a_schedule_that_is_paused(
    admin: Someone, stores: Stores, workers: Sequence[Stores], clickhouse_dataset: UUID, jobs_settings: Settings
) -> None:
    async with registered("leaver", stores) as leaver:
        granted = RelationTuple(names.user(leaver.id), "admin", names.SYSTEM)
        await stores.openfga.write([granted], ledger=Ledger())
        try:
            id_ = await set_schedule(leaver.context(), Refresh(clickhouse_dataset, "no_rows"), Interval(60))
            async with stores.postgres["axion_sense"].transaction() as session:
                left = update(User).where(User.external_auth_id == leaver.id).values(is_active=False)
                await session.execute(left)
            await start_due(workers[0], (await schedule(stores, id_))["next_run_at"])
            async with working(jobs_settings):
                await ended(leaver, (await schedule(stores, id_))["last_job_id"])
        finally:
            await stores.openfga.write(deletes=[granted], ledger=Ledger())
    await settle(workers[0])
    row = await schedule(stores, id_)
    assert (row["last_state"], row["next_run_at"]) == ("failed", None)
    assert "no longer active" in row["pause_reason"]
    assert "may resume the schedule" in row["pause_reason"]
    await set_schedule(admin.context(), Refresh(clickhouse_dataset, "no_rows"), Interval(60))
    unsettled = update(TableProfileSchedule).where(TableProfileSchedule.id == id_).values(last_state=None)
    async with stores.postgres["axion_gen"].transaction() as session:
        await session.execute(unsettled)  # as if it was taken over while the job of the one before was running
    await settle(workers[0])
    row = await schedule(stores, id_)
    assert (row["last_state"], row["paused_at"], row["next_run_at"] is None) == ("failed", None, False)


async def audited(stores: Stores, action: str) -> Sequence[Any]:
    sql = "SELECT * FROM audit_outbox WHERE action = $1 ORDER BY id"
    return await stores.postgres["axion_gen"].fetch(sql, action, ledger=Ledger())


async def test_a_job_that_is_no_longer_kept_is_forgotten(
    admin: Someone, stores: Stores, workers: Sequence[Stores], clickhouse_dataset: UUID
) -> None:
    id_ = await set_schedule(admin.context(), Refresh(clickhouse_dataset, "no_rows"), Interval(60))
    gone = update(TableProfileSchedule).where(TableProfileSchedule.id == id_).values(last_job_id=UUID(int=7))
    async with stores.postgres["axion_gen"].transaction() as session:
        await session.execute(gone)
    await settle(workers[0])
    row = await schedule(stores, id_)
    assert (row["last_job_id"], row["last_state"]) == (None, None)


async def test_who_sets_and_ends_it(
    admin: Someone, stranger: Someone, stores: Stores, clickhouse_dataset: UUID
) -> None:
    asked = Refresh(clickhouse_dataset, "no_rows")
    with pytest.raises(NotFound):
        await set_schedule(stranger.context(), asked, Interval(60))
    viewer = RelationTuple(names.user(stranger.id), "assignee", "role:77001")
    grant = [
        RelationTuple("user:*", "has_view_dataset", "role:77001"),
        RelationTuple("user:*", "has_view_table", "role:77001"),
        RelationTuple("role:77001", "assigned_role", names.dataset(clickhouse_dataset)),
        viewer,
    ]
    await stores.openfga.write(grant, ledger=Ledger())
    try:
        with pytest.raises(Forbidden):
            await set_schedule(stranger.context(), asked, Interval(60))
        with pytest.raises(Forbidden):
            await end_schedule(stranger.context(), clickhouse_dataset, "no_rows")
    finally:
        await stores.openfga.write(deletes=grant, ledger=Ledger())
    with pytest.raises(NotFound):
        await set_schedule(admin.context(), Refresh(clickhouse_dataset, "no_such_table"), Interval(60))
    with pytest.raises(UnknownColumn):
        await set_schedule(admin.context(), Refresh(clickhouse_dataset, "no_rows", exclude=("nope",)), Interval(60))
    first = await set_schedule(admin.context(), asked, Interval(60))
    again = await set_schedule(admin.context(), asked, Interval(30))
    assert first == again
    row = await schedule(stores, first)
    assert row["every_minutes"] == 30
    assert abs(row["next_run_at"] - datetime.now(UTC) - HOUR / 2) < timedelta(minutes=1)
    assert await end_schedule(admin.context(), clickhouse_dataset, "no_rows") == first
    assert await end_schedule(admin.context(), clickhouse_dataset, "no_rows") is None
