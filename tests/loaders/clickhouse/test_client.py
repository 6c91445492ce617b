import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from loaders.clickhouse.client import ClickHouse
from loaders.errors import (
    Cancelled,
    StoreCredentialsRejected,
    StoreError,
    StoreQueryFailed,
    StoreTimeout,
    StoreUnavailable,
)
from loaders.ledger import Ledger
from tests.deploy.clickhouse_server.fixtures import Http
from tests.deploy.clickhouse_server.server import Server, running

ENDLESS = "SELECT number FROM numbers(100000000000)"
SLOW = "SELECT sum(sipHash64(number)) FROM numbers(100000000000)"


async def _until_running(http: Http) -> list[str]:
    async with asyncio.timeout(10):
        while not (names := await http.running()):
            continue
        return names


async def _count(stream: AsyncIterator[pa.RecordBatch], counted: list[int]) -> None:
    async for batch in stream:
        counted.append(batch.num_rows)


async def test_query(client: ClickHouse, ledger: Ledger) -> None:
    table = await client.query("SELECT number AS n FROM numbers({count:UInt64})", {"count": 3}, ledger=ledger)
    assert table.to_pydict() == {"n": [0, 1, 2]}
    usage = ledger.stores["clickhouse"]
    assert (usage.statements, usage.rows) == (1, 3)
    assert usage.bytes > 0
    assert usage.ms > 0


async def test_no_rows_have_a_schema(client: ClickHouse, ledger: Ledger) -> None:
    table = await client.query("SELECT 1 AS a, 'x' AS b WHERE 0", ledger=ledger)
    assert table.schema == pa.schema([pa.field("a", pa.uint8(), False), pa.field("b", pa.string(), False)])
    assert table.num_rows == 0


async def test_a_batch_that_is_too_large_is_not_taken_and_its_query_ends(
    client: ClickHouse, ledger: Ledger, http: Http
) -> None:
    sql = "SELECT repeat('x', 1000000) AS long FROM numbers(300)"
    for compression in ("none", "lz4_frame"):  # the second is small as it comes
        settings = {"output_format_arrow_compression_method": compression}
        with pytest.raises(StoreQueryFailed, match="more than 256 MiB in one batch; ask for shorter values"):
            await client.query(sql, ledger=ledger, timeout_ms=300_000, settings=settings)
    async with asyncio.timeout(60):
        while await http.running():
            continue


async def test_stream_of_many_batches(client: ClickHouse, ledger: Ledger) -> None:
    batches = 0
    total = 0
    async with aclosing(
        client.stream("SELECT number, toString(number) FROM numbers(1000000)", ledger=ledger)
    ) as stream:
        async for batch in stream:
            batches += 1
            total += pc.sum(batch.column(0)).as_py()
    assert total == 499_999_500_000
    assert batches > 10
    assert (ledger.stores["clickhouse"].statements, ledger.stores["clickhouse"].rows) == (1, 1_000_000)


async def test_instants_are_utc(client: ClickHouse, ledger: Ledger) -> None:
    sql = "SELECT toDateTime64('2024-07-01 00:00:00', 3, zone) AS t, toDateTime64('2024-07-01 00:00:00', 3) AS u"
    for zone in ("Europe/Berlin", "UTC"):
        table = await client.query(sql.replace("zone", f"'{zone}'"), ledger=ledger)
        assert table.schema.types == [pa.timestamp("ms", "UTC")] * 2
        shift = 2 * 3600 * 1000 if zone == "Europe/Berlin" else 0
        assert table["u"].cast(pa.int64())[0].as_py() - table["t"].cast(pa.int64())[0].as_py() == shift


@pytest.mark.parametrize(
    ("sql", "kind", "says"),
    [
        ("SELECT nope", StoreQueryFailed, "UNKNOWN_IDENTIFIER, code 47"),
        ("SELECT 1 FROM nope", StoreQueryFailed, "UNKNOWN_TABLE, code 60"),
        ("SELEKT secret", StoreQueryFailed, "SYNTAX_ERROR, code 62"),
        ("CREATE TABLE never (a Int8) ENGINE = Memory", StoreQueryFailed, "READONLY, code 164"),
        ("SELECT throwIf(number = 5) FROM numbers(10)", StoreQueryFailed,
         "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO, code 395"),
        ("SELECT number, throwIf(number = 2000000) FROM numbers(3000000)", StoreQueryFailed,
         "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO, code 395"),
    ],
)  # fmt: skip
async def test_failures(client: ClickHouse, ledger: Ledger, sql: str, kind: type[StoreError], says: str) -> None:
    with pytest.raises(kind) as failed:
        await client.query(sql, ledger=ledger)
    assert says in str(failed.value)
    assert failed.value.extensions == {"code": "STORE_QUERY_FAILED", "store": "clickhouse"}
    assert not {"secret", "127.0.0.1", "http:", "SELE", "throwIf("} & set(str(failed.value).split())
    assert ledger.stores["clickhouse"].statements == 1


async def test_a_failure_in_the_middle_is_no_end(client: ClickHouse, ledger: Ledger) -> None:
    counted: list[int] = []
    stream = client.stream("SELECT number, throwIf(number = 2000000) FROM numbers(3000000)", ledger=ledger)
    with pytest.raises(StoreQueryFailed):
        await _count(stream, counted)
    rows = sum(counted)
    assert 0 < rows < 3_000_000
    assert ledger.stores["clickhouse"].rows == rows


async def test_time_out(client: ClickHouse, ledger: Ledger, http: Http) -> None:
    with pytest.raises(StoreTimeout, match="TIMEOUT_EXCEEDED"):
        await client.query(SLOW, ledger=ledger, timeout_ms=200)
    assert await http.running() == []


@pytest.mark.parametrize("settings", [{"nonsense": 1}, {"max_threads": "many"}])
async def test_settings_are_checked_by_the_store(
    client: ClickHouse, ledger: Ledger, settings: dict[str, str | int]
) -> None:
    with pytest.raises(StoreQueryFailed):
        await client.query("SELECT 1", ledger=ledger, settings=settings)


@pytest.mark.parametrize("name", ["query", "param_x", "query_id", "user", "readonly", "Bad", "a b"])
async def test_settings_that_are_none(client: ClickHouse, ledger: Ledger, name: str) -> None:
    with pytest.raises(ValueError, match="no setting"):
        await client.query("SELECT 1", ledger=ledger, settings={name: "1"})
    assert ledger.stores == {}


async def test_settings_reach_the_store(client: ClickHouse, ledger: Ledger) -> None:
    table = await client.query("SELECT getSetting('max_threads') AS t", ledger=ledger, settings={"max_threads": 3})
    assert table.to_pylist() == [{"t": 3}]


async def test_closing_a_stream_kills_its_query(client: ClickHouse, ledger: Ledger, http: Http) -> None:
    stream = client.stream(ENDLESS, ledger=ledger)
    await anext(stream)
    assert len(await http.running()) == 1
    await stream.aclose()
    assert await http.running() == []
    assert ledger.stores["clickhouse"].statements == 2


@pytest.mark.parametrize("sql", [ENDLESS, SLOW])
async def test_cancelling_the_task_kills_its_query(client: ClickHouse, ledger: Ledger, http: Http, sql: str) -> None:
    task = asyncio.create_task(client.query(sql, ledger=ledger))
    await _until_running(http)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await http.running() == []


@pytest.mark.parametrize("sql", [ENDLESS, SLOW])
async def test_closing_the_client_kills_what_still_runs(
    client: ClickHouse, ledger: Ledger, http: Http, sql: str
) -> None:
    """Whether its stream is read or waited for: who leaves it afterwards can send no kill."""
    reading = asyncio.create_task(_count(client.stream(sql, ledger=ledger, timeout_ms=600_000), []))
    await _until_running(http)
    async with asyncio.timeout(60):
        await client.close()
        assert await http.running() == []
        with pytest.raises(StoreError):
            await reading
    assert ledger.stores["clickhouse"].statements == 2


async def test_a_query_killed_by_others(client: ClickHouse, ledger: Ledger, http: Http) -> None:
    task = asyncio.create_task(client.query(SLOW, ledger=ledger))
    (name,) = await _until_running(http)
    uuid.UUID(name)
    await http.text(f"KILL QUERY WHERE query_id = '{name}' SYNC")
    with pytest.raises(Cancelled):
        await task


async def test_eight_at_once(client: ClickHouse, ledger: Ledger) -> None:
    sql = "SELECT {n:UInt64} AS n, sum(number) AS s FROM numbers(1000000)"
    tables = await asyncio.gather(*(client.query(sql, {"n": n}, ledger=ledger) for n in range(8)))
    assert [table["n"][0].as_py() for table in tables] == list(range(8))
    assert ledger.stores["clickhouse"].statements == 8


async def test_insert_arrow(client: ClickHouse, ledger: Ledger) -> None:
    name = f"t_{uuid.uuid4().hex}"
    await client.command(f"CREATE TABLE {name} (s String, a UInt64) ENGINE = MergeTree ORDER BY a", ledger=ledger)
    rows = pa.table({"a": pa.array([1, 2], pa.uint64()), "s": ["x", "y"]})
    await client.insert_arrow(name, rows, ledger=ledger)
    assert (await client.query(f"SELECT a, s FROM {name} ORDER BY a", ledger=ledger)).to_pydict() == rows.to_pydict()
    with pytest.raises(StoreQueryFailed):
        await client.insert_arrow("nope", rows, ledger=ledger)


async def test_one_that_was_closed_does_not_connect_again(server: Server, ledger: Ledger) -> None:
    client = ClickHouse.open(server.url, "default", server.password, None, store="datasource:x")
    await client.query("SELECT 1", ledger=ledger)
    await client.close()
    with pytest.raises(StoreUnavailable, match="was closed; try again"):
        await client.query("SELECT 1", ledger=ledger)


async def test_wrong_password(server: Server) -> None:
    client = ClickHouse.open(server.url, "default", "not-it", None, store="datasource:x")
    with pytest.raises(StoreCredentialsRejected) as refused:
        await client.ping()
    assert refused.value.store == "datasource:x"
    assert "not-it" not in f"{refused.value}{client!r}"
    await client.close()


async def test_a_missing_database(server: Server) -> None:
    client = ClickHouse.open(server.url, "default", server.password, "nope")
    with pytest.raises(StoreQueryFailed, match="UNKNOWN_DATABASE"):
        await client.ping()
    await client.close()


async def test_a_server_that_is_down_and_comes_up(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        client = ClickHouse.open(server.url, "default", server.password, None)
        await client.ping()
        stream = client.stream(ENDLESS, ledger=Ledger())
        await anext(stream)
        await asyncio.to_thread(server.process.kill)
        with pytest.raises(StoreUnavailable):
            await _count(stream, [])
        with pytest.raises(StoreUnavailable):
            await client.ping()
        await client.close()


async def test_down_from_the_start() -> None:
    client = ClickHouse.open("http://127.0.0.1:1", "default", "", None)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await client.ping()
    await client.close()


@pytest.mark.parametrize("url", ["", "127.0.0.1:8123", "ftp://host", "http://"])
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(ValueError, match="http or https"):
        ClickHouse.open(url, "default", "", None)
