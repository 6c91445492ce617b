import asyncio
from uuid import UUID

import asyncpg
import orjson
import pytest
from sqlalchemy import update

from gateway.settings import Settings
from loaders.clickhouse.client import ClickHouse
from loaders.errors import NotFound, Unauthenticated
from loaders.jobs.job import EventKind, Job, JobEvent, State
from loaders.jobs.store import JobStore
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.tuples import RelationTuple
from loaders.stores import Stores
from loaders.tables.axion_sense.public import User
from resolvers.context import Context
from resolvers.jobs.cancel import cancel_job
from resolvers.jobs.kinds.table_profile_refresh import Refresh
from resolvers.jobs.start import start_table_profile_refresh
from resolvers.jobs.watch import watch_job
from resolvers.permissions.verdicts import Verdicts
from resolvers.subject import ANONYMOUS
from tests.conformance.rows import LARGE_ROWS, ODD_NAME
from tests.resolvers.jobs.conftest import SPACE, Someone, registered, working
from tests.waiting import until

PROFILE = """
SELECT columns, row_count, statistics, sample_values FROM public.table_profile_cache
WHERE dataset_id = $1 AND table_name = $2
"""


async def ended(person: Someone, job: Job) -> list[JobEvent]:
    async with asyncio.timeout(30):
        return [item async for item in watch_job(person.context(), job.id, after=0) if isinstance(item, JobEvent)]


async def refreshed(person: Someone, dataset: UUID, table: str) -> Job:
    job = await start_table_profile_refresh(person.context(), Refresh(dataset, table))
    await ended(person, job)
    found = await JobStore(person.stores.postgres["axion_sense_tasks"]).get(job.id, ledger=Ledger())
    assert found is not None
    return found


async def profile_of(stores: Stores, dataset: UUID, table: str) -> asyncpg.Record:
    (row,) = await stores.postgres["axion_gen"].fetch(PROFILE, dataset, table, ledger=Ledger())
    return row


@pytest.mark.usefixtures("worker")
async def test_every_type_is_profiled_alike_by_every_store(admin: Someone, stores: Stores, dataset: UUID) -> None:
    job = await refreshed(admin, dataset, "every_type")
    assert (job.state, job.error) == (State.SUCCEEDED, None)
    assert (job.result, job.progress, job.attempts) == (
        {"rowCount": 4, "columns": 11, "basis": "table", "version": 1},
        1.0,
        1,
    )
    row = await profile_of(stores, dataset, "every_type")
    columns = orjson.loads(row["columns"])
    assert [column["name"] for column in columns] == [
        *("id", "flag", "big", "unsigned", "ratio", "exact", "text", "day", "at", "numbers", "words")
    ]
    assert row["row_count"] == 4
    figures = orjson.loads(row["statistics"])
    assert figures["id"] == {
        "nullCount": 0,
        "distinctCount": 4,
        "distinctIsApproximate": False,
        "nonFiniteCount": None,
        "min": 1,
        "max": 4,
        "histogram": [
            {"low": 1, "high": 2, "count": 1},
            {"low": 2, "high": 3, "count": 1},
            {"low": 3, "high": 4, "count": 1},
            {"low": 4, "high": 4, "count": 1},
        ],
        "topValues": [],
    }
    assert (figures["flag"]["nullCount"], figures["flag"]["distinctCount"]) == (1, 2)
    big = figures["big"]
    assert (big["nullCount"], big["distinctCount"]) == (1, 3)
    assert (big["min"], big["max"]) == ("-9223372036854775808", "9223372036854775807")
    assert [each["count"] for each in big["histogram"]] == [1, 0, 0, 0, 0, 1, 0, 0, 0, 1]
    assert (figures["ratio"]["nonFiniteCount"], figures["ratio"]["max"]) == (1, 0.1)
    assert figures["unsigned"]["max"] == "18446744073709551615"
    assert (figures["exact"]["min"], figures["exact"]["max"]) == ("-1234567890123456.7891", "0.1000")
    assert (figures["day"]["min"], figures["day"]["max"]) == ("1969-12-31", "2100-01-01")
    assert figures["at"]["max"] == "2024-10-27T00:30:00+00:00"
    assert (figures["numbers"]["distinctCount"], figures["numbers"]["min"]) == (None, None)
    assert sum(each["count"] for each in figures["day"]["histogram"]) == 3
    assert sum(each["count"] for each in figures["at"]["histogram"]) == 3
    assert [each["count"] for each in figures["text"]["topValues"]] == [1, 1, 1]
    samples = orjson.loads(row["sample_values"])
    assert sorted(samples["text"]) == ["", "plain", "quote ' \" \\ ü 漢 🛰"]
    assert sorted(samples["id"]) == [1, 2, 3, 4]


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(("table", "rows", "columns"), [("no_rows", 0, 2), ("large", LARGE_ROWS, 2), (ODD_NAME, 1, 3)])
async def test_any_table_is_profiled(
    admin: Someone, stores: Stores, dataset: UUID, table: str, rows: int, columns: int
) -> None:
    job = await refreshed(admin, dataset, table)
    assert job.error is None
    assert job.result is not None
    assert (job.result["rowCount"], job.result["columns"], job.result["basis"]) == (rows, columns, "table")
    samples = orjson.loads((await profile_of(stores, dataset, table))["sample_values"])
    assert all(len(str(value)) <= 200 for values in samples.values() for value in values)


@pytest.mark.usefixtures("worker")
async def test_a_second_refresh_replaces_the_first(admin: Someone, stores: Stores, clickhouse_dataset: UUID) -> None:
    jobs = [
        await start_table_profile_refresh(admin.context(), Refresh(clickhouse_dataset, "every_type")) for _ in range(2)
    ]
    told = await asyncio.gather(*(ended(admin, job) for job in jobs))
    assert [events[-1].payload["state"] for events in told] == ["succeeded"] * 2
    started, finished = told[1][1].created_at, told[0][-1].created_at
    assert started >= finished  # one after another
    await profile_of(stores, clickhouse_dataset, "every_type")


@pytest.mark.usefixtures("worker")
async def test_progress_is_told(admin: Someone, clickhouse_dataset: UUID) -> None:
    job = await start_table_profile_refresh(admin.context(), Refresh(clickhouse_dataset, "every_type"))
    events = await ended(admin, job)
    shares = [event.payload["progress"] for event in events if event.kind is EventKind.PROGRESS]
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert [str(share) for share in shares] == sorted(str(share) for share in shares)


async def test_who_may_not_see_the_table_starts_nothing(
    stranger: Someone, stores: Stores, clickhouse_dataset: UUID
) -> None:
    count = "SELECT count(*) AS jobs FROM public.jobs"
    before = await stores.postgres["axion_sense_tasks"].fetch(count, ledger=Ledger())
    with pytest.raises(NotFound):
        await start_table_profile_refresh(stranger.context(), Refresh(clickhouse_dataset, "every_type"))
    nobody = Context(ANONYMOUS, "test", stores, Verdicts(ANONYMOUS, stores.openfga, Ledger()), Ledger())
    with pytest.raises(Unauthenticated):
        await start_table_profile_refresh(nobody, Refresh(clickhouse_dataset, "every_type"))
    assert await stores.postgres["axion_sense_tasks"].fetch(count, ledger=Ledger()) == before


async def test_an_unknown_table_is_not_found(admin: Someone, clickhouse_dataset: UUID) -> None:
    with pytest.raises(NotFound, match="no_such_table"):
        await start_table_profile_refresh(admin.context(), Refresh(clickhouse_dataset, "no_such_table"))


async def test_a_permission_taken_away_meanwhile_ends_the_job(
    stranger: Someone, stores: Stores, clickhouse_dataset: UUID, jobs_settings: Settings
) -> None:
    """The job is queued while the subject may see the table, and run when they no longer may."""
    role = f"role:{abs(hash(stranger.id)) % 2**31}"
    grant = [
        RelationTuple("user:*", "has_view_table", role),
        RelationTuple(role, "assigned_role", names.dataset(clickhouse_dataset)),
        RelationTuple(names.user(stranger.id), "assignee", role),
    ]
    await stores.openfga.write(grant, ledger=Ledger())
    job = await start_table_profile_refresh(stranger.context(), Refresh(clickhouse_dataset, "large"))
    await stores.openfga.write(deletes=grant, ledger=Ledger())
    async with working(jobs_settings):
        events = await ended(stranger, job)
    assert events[-1].payload == {
        "state": "failed",
        "attempt": 1,
        "error": {"code": "NOT_FOUND", "message": "The dataset has no table 'large', or you may not see it."},
    }


async def test_a_user_deactivated_meanwhile_ends_the_job(
    admin: Someone, stores: Stores, clickhouse_dataset: UUID, jobs_settings: Settings
) -> None:
    async with registered("leaver", stores) as leaver:
        granted = RelationTuple(names.user(leaver.id), "admin", names.SYSTEM)
        await stores.openfga.write([granted], ledger=Ledger())
        job = await start_table_profile_refresh(leaver.context(), Refresh(clickhouse_dataset, "large"))
        async with stores.postgres["axion_sense"].transaction() as session:
            await session.execute(update(User).where(User.external_auth_id == leaver.id).values(is_active=False))
        async with working(jobs_settings):
            events = await ended(admin, job)
        await stores.openfga.write(deletes=[granted], ledger=Ledger())
    assert events[-1].payload == {
        "state": "failed",
        "attempt": 1,
        "error": {"code": "FORBIDDEN", "message": "The user who started the job is no longer active."},
    }


async def test_another_persons_job_is_absent(
    admin: Someone, stranger: Someone, stores: Stores, clickhouse_dataset: UUID
) -> None:
    job = await start_table_profile_refresh(admin.context(), Refresh(clickhouse_dataset, "every_type"))
    with pytest.raises(NotFound):
        await cancel_job(stranger.context(), job.id)
    with pytest.raises(NotFound):
        await anext(watch_job(stranger.context(), job.id))
    assert stores.jobs.watchers == 0
    found = await JobStore(stores.postgres["axion_sense_tasks"]).get(job.id, ledger=Ledger())
    assert found == job
    assert (await cancel_job(admin.context(), job.id)).state is State.CANCELLED


async def test_an_admin_cancels_anothers_job(admin: Someone, stranger: Someone, stores: Stores) -> None:
    store = JobStore(stores.postgres["axion_sense_tasks"])
    job = await store.create(kind="table_profile_refresh", subject=stranger.id, arguments={})
    assert (await cancel_job(admin.context(), job.id)).state is State.CANCELLED


@pytest.mark.usefixtures("worker")
async def test_cancelling_stops_the_query_in_the_store(
    admin: Someone, stores: Stores, clickhouse_client: ClickHouse, clickhouse_dataset: UUID
) -> None:
    running = "SELECT count() AS n FROM system.processes WHERE query LIKE '%slow%' AND query NOT LIKE '%processes%'"

    async def is_running(times: int) -> bool:
        return bool((await clickhouse_client.query(running, ledger=Ledger())).column("n")[0].as_py() == times)

    await clickhouse_client.command(
        f"CREATE OR REPLACE VIEW {SPACE}.slow AS SELECT number AS id, sleepEachRow(0.2) AS nap "
        "FROM system.numbers LIMIT 1000 SETTINGS max_block_size = 1",
        ledger=Ledger(),
    )
    job = await start_table_profile_refresh(admin.context(), Refresh(clickhouse_dataset, "slow"))
    async with asyncio.timeout(30):
        await until(lambda: is_running(1))
        await cancel_job(admin.context(), job.id)
        events = await ended(admin, job)
    assert events[-1].payload == {"state": "cancelled", "attempt": 1}
    assert await is_running(0)
