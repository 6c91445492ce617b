"""What a refresh reads and what it refuses to read, as counted by the stores."""

import asyncio
import secrets
from datetime import UTC, date, datetime
from uuid import UUID

import orjson
import pyarrow as pa
import pytest

from loaders.clickhouse.client import ClickHouse
from loaders.columnar.statement import Statement
from loaders.errors import StoreQueryFailed, UnknownColumn
from loaders.jobs.job import Job, JobEvent, State
from loaders.jobs.store import JobStore
from loaders.ledger import Ledger
from loaders.stores import Stores
from loaders.tables.axion_gen.curation import CurationOverride
from loaders.warehouses.base import RecordBatches
from loaders.warehouses.clickhouse import ClickHouseWarehouse
from resolvers.jobs.kinds.table_profile_refresh import Refresh
from resolvers.jobs.start import start_table_profile_refresh
from resolvers.jobs.watch import watch_job
from tests.conformance.rows import LARGE_ROWS
from tests.conformance.subjects.s3_parquet import S3Server
from tests.resolvers.jobs.conftest import _S3, SPACE, Someone

PROFILE = """
SELECT version, basis, row_count, byte_count, profiled_rows, estimated_bytes, excluded_columns, drift, statistics,
       sample_values
FROM public.table_profile_cache WHERE dataset_id = $1 AND table_name = $2
"""
VERSIONS = """
SELECT version, basis, drift FROM public.table_profile_versions WHERE dataset_id = $1 AND table_name = $2
ORDER BY version
"""
pytestmark = pytest.mark.usefixtures("worker")


async def refreshed(person: Someone, asked: Refresh) -> Job:
    job = await start_table_profile_refresh(person.context(), asked)
    async with asyncio.timeout(30):
        assert [item async for item in watch_job(person.context(), job.id, after=0) if isinstance(item, JobEvent)]
    found = await JobStore(person.stores.postgres["axion_sense_tasks"]).get(job.id, ledger=Ledger())
    assert found is not None
    return found


async def profile_of(stores: Stores, dataset: UUID, table: str) -> dict[str, object]:
    (row,) = await stores.postgres["axion_gen"].fetch(PROFILE, dataset, table, ledger=Ledger())
    read = dict(row)
    return read | {name: orjson.loads(read[name]) for name in ("drift", "statistics", "sample_values")}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements about rows that ClickHouse is sent from now on, by the worker in this process."""
    statements: list[str] = []
    stream = ClickHouseWarehouse.stream

    def recorded(self: ClickHouseWarehouse, statement: Statement, *, ledger: Ledger, timeout_ms: int) -> RecordBatches:
        statements.append(statement.sql)
        return stream(self, statement, ledger=ledger, timeout_ms=timeout_ms)

    monkeypatch.setattr(ClickHouseWarehouse, "stream", recorded)
    return statements


async def made(clickhouse_client: ClickHouse, columns: str) -> str:
    name = f"made_{secrets.token_hex(4)}"
    await clickhouse_client.command(
        f"CREATE TABLE {SPACE}.{name} ({columns}) ENGINE = MergeTree ORDER BY tuple()", ledger=Ledger()
    )
    return name


async def test_hidden_and_excluded_columns_are_in_no_statement(
    admin: Someone, stores: Stores, clickhouse_client: ClickHouse, clickhouse_dataset: UUID, sent: list[str]
) -> None:
    table = await made(clickhouse_client, "id Int32, diagnosis String, ssn String")
    await clickhouse_client.command(f"INSERT INTO {SPACE}.{table} VALUES (1, 'flu', '078-05-1120')", ledger=Ledger())
    async with stores.postgres["axion_gen"].transaction() as session:
        hidden = CurationOverride(dataset_id=clickhouse_dataset, table_name=table, column_name="ssn", is_hidden=True)
        session.add(hidden)
    job = await refreshed(admin, Refresh(clickhouse_dataset, table, exclude=("diagnosis", "ssn")))
    assert (job.state, job.error) == (State.SUCCEEDED, None)
    found = await profile_of(stores, clickhouse_dataset, table)
    assert (found["excluded_columns"], found["profiled_rows"]) == (["diagnosis", "ssn"], 1)
    assert (list(found["statistics"]), list(found["sample_values"])) == (["id"], ["id"])  # type: ignore[call-overload]
    assert len(sent) == 3  # samples, figures, a histogram
    assert not [each for each in sent if "ssn" in each or "diagnosis" in each]
    with pytest.raises(UnknownColumn, match="'ssn'"):
        await refreshed(admin, Refresh(clickhouse_dataset, table, where={"column": "ssn", "startsWith": "0"}))
    refused = await refreshed(
        admin, Refresh(clickhouse_dataset, table, exclude=("id",), where={"column": "id", "eq": 1})
    )
    assert (refused.error or {})["code"] == UnknownColumn.code.value
    assert len(sent) == 3


async def test_a_budget_is_refused_before_anything_is_sent(
    admin: Someone, stores: Stores, clickhouse_client: ClickHouse, clickhouse_dataset: UUID, sent: list[str]
) -> None:
    table = await made(clickhouse_client, "id Int32, text String")
    filled = f"INSERT INTO {SPACE}.{table} SELECT number, randomPrintableASCII(100) FROM numbers(10000)"
    await clickhouse_client.command(filled, ledger=Ledger())
    job = await refreshed(admin, Refresh(clickhouse_dataset, table, max_bytes=1_000_000))
    assert (job.state, (job.error or {})["code"]) == (State.FAILED, "COST_EXCEEDED")
    assert sent == []
    found = await profile_of(stores, clickhouse_dataset, table)
    assert (found["basis"], found["row_count"], found["statistics"]) == ("metadata", 10_000, {})
    job = await refreshed(admin, Refresh(clickhouse_dataset, table, max_bytes=100_000_000))
    found = await profile_of(stores, clickhouse_dataset, table)
    assert (found["basis"], found["profiled_rows"], found["version"]) == ("table", 10_000, 2)
    assert 1_000_000 < int(str(found["estimated_bytes"])) <= 100_000_000


async def test_a_small_budget_is_refused_on_every_store(admin: Someone, dataset: UUID) -> None:
    job = await refreshed(admin, Refresh(dataset, "large", max_bytes=1))
    assert (job.error or {})["code"] == "COST_EXCEEDED"


async def test_metadata_alone_count(admin: Someone, stores: Stores, dataset: UUID) -> None:
    job = await refreshed(admin, Refresh(dataset, "large", sample_rows=0))
    assert job.error is None
    found = await profile_of(stores, dataset, "large")
    assert (found["basis"], found["row_count"], found["profiled_rows"]) == ("metadata", LARGE_ROWS, 0)
    assert int(str(found["byte_count"])) > 0


async def test_a_sample_says_so(admin: Someone, stores: Stores, dataset: UUID) -> None:
    await refreshed(admin, Refresh(dataset, "large", sample_rows=1_000))
    found = await profile_of(stores, dataset, "large")
    assert (found["basis"], found["row_count"], found["profiled_rows"]) == ("sample", LARGE_ROWS, 1_000)
    await refreshed(admin, Refresh(dataset, "large", sample_rows=1_000, where={"column": "id", "lt": "10"}))
    found = await profile_of(stores, dataset, "large")
    assert (found["basis"], found["row_count"], found["profiled_rows"]) == ("partition", LARGE_ROWS, 10)
    statistics = found["statistics"]
    assert isinstance(statistics, dict)
    assert (statistics["id"]["min"], statistics["id"]["max"], statistics["id"]["distinctCount"]) == ("0", "9", 10)


async def test_versions_and_drift(
    admin: Someone, stores: Stores, clickhouse_client: ClickHouse, clickhouse_dataset: UUID
) -> None:
    table = await made(clickhouse_client, "id Int32, note String, gone String")
    await refreshed(admin, Refresh(clickhouse_dataset, table))
    alter = f"ALTER TABLE {SPACE}.{table} DROP COLUMN gone, ADD COLUMN new Date, MODIFY COLUMN note Nullable(String)"
    await clickhouse_client.command(alter, ledger=Ledger())
    await refreshed(admin, Refresh(clickhouse_dataset, table))
    changed = {
        "added": ["new"],
        "removed": ["gone"],
        "retyped": [{"column": "note", "was": "text", "now": "text, nullable"}],
    }
    rows = await stores.postgres["axion_gen"].fetch(VERSIONS, clickhouse_dataset, table, ledger=Ledger())
    assert [(row["version"], orjson.loads(row["drift"])) for row in rows] == [(1, {}), (2, changed)]
    found = await profile_of(stores, clickhouse_dataset, table)
    assert (found["version"], found["drift"]) == (2, changed)


async def test_a_file_with_another_column_and_a_wider_type_is_drift(
    admin: Someone, stores: Stores, s3_dataset: UUID, s3: S3Server
) -> None:
    """Of Parquet a table is the union of its files: those that were there before are read as ever."""
    files, table = _S3(s3), f"made_{secrets.token_hex(4)}"
    await files.load(table, pa.table({"id": pa.array([1, 2], pa.int32()), "note": ["a", "b"]}))
    first = await refreshed(admin, Refresh(s3_dataset, table))
    files.add(table, pa.table({"id": pa.array([2**40], pa.int64()), "note": ["c"], "new": [1.5]}), file="part-1")
    second = await refreshed(admin, Refresh(s3_dataset, table))
    assert [(job.state, job.error) for job in (first, second)] == [(State.SUCCEEDED, None)] * 2
    found = await profile_of(stores, s3_dataset, table)
    assert (found["version"], found["profiled_rows"]) == (2, 3)
    retyped = {"column": "id", "was": "integer, nullable", "now": "bigint, nullable"}
    assert found["drift"] == {"added": ["new"], "removed": [], "retyped": [retyped]}
    statistics = found["statistics"]
    assert isinstance(statistics, dict)
    assert (statistics["id"]["min"], statistics["id"]["max"]) == ("1", str(2**40))
    assert (statistics["new"]["nullCount"], statistics["note"]["nullCount"]) == (2, 0)
    files.add(table, pa.table({"id": ["one"]}), file="part-2")
    with pytest.raises(StoreQueryFailed, match="is not of a type that fits the other files"):
        await refreshed(admin, Refresh(s3_dataset, table))
    await files.drop(table)


ODD = pa.table(
    {
        "nothing": pa.array([None, None, None, None, None], pa.float64()),
        "ratio": pa.array([float("nan"), float("inf"), float("-inf"), -0.5, None]),
        "old": pa.array([date(1900, 1, 1), date(1969, 12, 31), date(1970, 1, 1), None, date(1900, 1, 1)]),
        "at": pa.array([datetime(1901, 1, 1, tzinfo=UTC), None, None, None, None], pa.timestamp("us", "UTC")),
        "word": pa.array(["é", "漢", "é", "", None]),
        "huge": pa.array([2**64 - 1, 0, None, 2**63, 1], pa.uint64()),
    }
)


async def test_odd_values_are_counted_exactly(admin: Someone, stores: Stores, s3: S3Server, s3_dataset: UUID) -> None:
    await _S3(s3).load("odd_values", ODD)
    job = await refreshed(admin, Refresh(s3_dataset, "odd_values"))
    assert job.error is None
    found = (await profile_of(stores, s3_dataset, "odd_values"))["statistics"]
    assert isinstance(found, dict)
    assert {name: each["nullCount"] for name, each in found.items()} == {
        name: ODD.column(name).null_count for name in ODD.column_names
    }
    assert (found["nothing"]["min"], found["nothing"]["histogram"], found["nothing"]["distinctCount"]) == (None, [], 0)
    ratio = found["ratio"]
    assert (ratio["min"], ratio["max"], ratio["nonFiniteCount"]) == (-0.5, -0.5, 3)
    assert ratio["histogram"] == [{"low": -0.5, "high": -0.5, "count": 1}]
    assert (found["old"]["min"], found["old"]["max"], found["old"]["distinctCount"]) == ("1900-01-01", "1970-01-01", 3)
    assert [bin_["count"] for bin_ in found["old"]["histogram"]] == [2, *[0] * 8, 2]
    assert found["at"]["min"] == found["at"]["max"] == "1901-01-01T00:00:00+00:00"
    assert found["word"]["topValues"][0] == {"value": "é", "count": 2}
    assert sorted(each["value"] for each in found["word"]["topValues"]) == ["", "é", "漢"]
    assert (found["huge"]["min"], found["huge"]["max"]) == ("0", str(2**64 - 1))
    assert [bin_["count"] for bin_ in found["huge"]["histogram"]] == [2, 0, 0, 0, 1, 0, 0, 0, 0, 1]
