"""The same documents as Arrow streams: whole, guarded, cut off when the store is, and in bounded memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from gateway.settings import Settings
from tests.system.big import ROWS
from tests.system.client import ARROW, Client
from tests.system.process import Gateway
from tests.system.proxy import Proxy
from tests.system.stores import Direct
from tests.waiting import until

FRAMES = "{ sense { frames { nodes { rowId trackId capturedAt lat lon altitude h3IndexRes9 isUploaded } } } }"
FLIGHTS = '{ gen { dataset(id: "%s") { table(name: "flights") { rows { nodes } } } } }'
RAW = """query Raw($id: ID!, $sql: String!, $first: Int) { gen { dataset(id: $id) { sql(statement: $sql) {
  answer(first: $first) { rows }
} } } }"""
BIG = 'query Big($id: ID!) { gen { dataset(id: $id) { table(name: "big") { rows { nodes } } } } }'

END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"


@pytest.fixture(scope="module")
async def datasets(client: Client) -> dict[str, str]:
    """Global ids by name."""
    nodes = (await client.ask("{ gen { datasets { nodes { id name } } } }")).data["gen"]["datasets"]["nodes"]
    return {node["name"]: node["id"] for node in nodes}


async def _table(client: Client, document: str, *, user: str = "admin") -> pa.Table:
    async with client.arrow(document, user=user) as response:
        body = await response.read()
        assert (response.status, response.content_type) == (200, ARROW), body[:500]
    with pa.ipc.open_stream(body) as reader:
        return reader.read_all()


async def test_all_frames(client: Client, direct: Direct) -> None:
    table = await _table(client, FRAMES)
    assert table.num_rows == 284_505
    assert {field.name: str(field.type) for field in table.schema} == {
        "rowId": "extension<arrow.uuid>",
        "trackId": "extension<arrow.uuid>",
        "capturedAt": "timestamp[ms, tz=UTC]",
        "lat": "double",
        "lon": "double",
        "altitude": "double",
        "h3IndexRes9": "uint64",
        "isUploaded": "bool",
    }
    stored = await direct.clickhouse_arrow(
        "SELECT toString(id) AS rowId, toString(track_id) AS trackId, captured_at AS capturedAt, lat, lon, altitude,"
        " h3_index_res9 AS h3IndexRes9, is_uploaded AS isUploaded FROM frames"
    )
    ours = _plain(table)
    assert ours.sort_by("rowId").equals(_plain(stored).cast(ours.schema).sort_by("rowId"))


def _plain(table: pa.Table) -> pa.Table:
    """UUIDs as text, everything else as it is."""
    for position, field in enumerate(table.schema):
        if field.type == pa.uuid():
            text = pa.array([str(value) for value in table.column(position).to_pylist()], pa.string())
            table = table.set_column(position, field.name, text)
        elif pa.types.is_binary(field.type):
            table = table.set_column(position, field.name, table.column(position).cast(pa.string()))
    return pa.table(dict(zip(table.column_names, table.columns, strict=True)))


async def test_a_reader_without_lz4_is_sent_plain_bodies(client: Client) -> None:
    bodies = []
    for accept in (ARROW, f"{ARROW}; compression=none"):
        async with client.arrow(FRAMES, accept=accept) as response:
            bodies.append(await response.read())
    tables = [pa.ipc.open_stream(body).read_all() for body in bodies]
    keys = [table.column("rowId").to_pylist() for table in tables]
    assert sorted(keys[0]) == sorted(keys[1])
    assert tables[0].schema == tables[1].schema
    sizes = [len(body) for body in bodies]
    assert sizes[0] < tables[0].num_rows * 70 < sizes[1]  # two UUIDs, an instant, three doubles, a cell and a bit


async def test_all_rows_of_a_remote_table(client: Client, direct: Direct, datasets: dict[str, str]) -> None:
    table = await _table(client, FLIGHTS % datasets["nycflights13"])
    assert table.num_rows == 336_776
    stored = await direct.clickhouse_arrow(
        "SELECT * REPLACE (toDateTime64(time_hour, 3, 'UTC') AS time_hour) FROM nycflights13.flights"
    )
    assert table.column_names == stored.column_names
    for name in table.column_names:
        ours, theirs = table.column(name), stored.column(name).cast(table.column(name).type)
        assert pc.value_counts(ours.combine_chunks()).sort(order="ascending", by="values") == pc.value_counts(
            theirs.combine_chunks()
        ).sort(order="ascending", by="values")


async def test_the_same_rows_from_the_lake(client: Client, datasets: dict[str, str]) -> None:
    warehouse, lake = [await _table(client, FLIGHTS % datasets[name]) for name in ("nycflights13", "nycflights13-lake")]
    assert lake.num_rows == warehouse.num_rows
    assert pc.sum(lake.column("distance")) == pc.sum(warehouse.column("distance"))


async def test_sql_of_ones_own(client: Client, direct: Direct, datasets: dict[str, str]) -> None:
    """As an Arrow stream, of the warehouse and of the lake; who may not write it is told so as JSON."""
    sql = "SELECT carrier, flight, distance FROM flights WHERE dest = 'HNL' AND origin = 'JFK'"
    stored = await direct.clickhouse_arrow(sql.replace("flights", "nycflights13.flights"))
    order = [(name, "ascending") for name in stored.column_names]
    for name in ("nycflights13", "nycflights13-lake"):
        async with client.arrow(RAW, {"id": datasets[name], "sql": sql}) as response:
            body = await response.read()
            assert (response.status, response.content_type) == (200, ARROW), body[:500]
        found = pa.ipc.open_stream(body).read_all()
        assert found.cast(stored.schema).sort_by(order).equals(stored.sort_by(order))
    for user, given, code in (
        ("analyst", sql, "FORBIDDEN"),
        ("stranger", sql, "BAD_USER_INPUT"),
        (None, sql, "UNAUTHENTICATED"),
        ("admin", "SELECT * FROM url('http://127.0.0.1:1/')", "SQL_REFUSED"),
        ("admin", "SELECT * FROM flights; DROP TABLE flights", "SQL_REFUSED"),
        ("admin", "SELECT * FROM no_such", "UNKNOWN_TABLE"),
    ):
        async with client.arrow(RAW, {"id": datasets["nycflights13"], "sql": given}, user=user) as response:
            answer = await response.json()
            found_code = [error["extensions"]["code"] for error in answer["errors"]]
            assert (response.status, found_code) == (400, [code]), (user, given)


async def test_guarded_as_everything_is(client: Client, direct: Direct) -> None:
    """The analyst gets the southern frames and no other, the stranger none."""
    (stored,) = await direct.postgres("axion_sense", "SELECT id FROM organizations WHERE code = 'south'")
    south = await direct.clickhouse_arrow(
        f"SELECT toString(id) AS id FROM frames WHERE organization_id = {stored['id']}"
    )
    frames = await _table(client, FRAMES, user="analyst")
    ids = sorted(_plain(frames).column("rowId").to_pylist())
    assert ids == sorted(_plain(south).column("id").to_pylist())
    assert (await _table(client, FRAMES, user="stranger")).num_rows == 0


@pytest.mark.parametrize(
    ("document", "user", "status", "code"),
    [
        ("{ sense { frames { nodes { rowId } } tracks { nodes { rowId } } } }", "admin", 400, "BAD_USER_INPUT"),
        ("{ sense { a: frames { nodes { rowId } } b: frames { nodes { lat } } } }", "admin", 400, "BAD_USER_INPUT"),
        ("{ sense { frames { nodes { rowId track { rowId } } } } }", "admin", 400, "BAD_USER_INPUT"),
        ("{ sense { frames { totalCount } } }", "admin", 400, "BAD_USER_INPUT"),
        ("{ __typename }", "admin", 400, "BAD_USER_INPUT"),
        ("{ sense { frames { nodes { rowId } } } }", None, 400, "UNAUTHENTICATED"),
        ("{ sense { frames { nope } } }", "admin", 400, "GRAPHQL_VALIDATION_FAILED"),
        ("{ sense {", "admin", 400, "GRAPHQL_PARSE_FAILED"),
    ],
    ids=[
        "two lists",
        "one list twice",
        "nested selection",
        "no rows",
        "no list",
        "no token",
        "unknown field",
        "no GraphQL",
    ],
)
async def test_what_is_no_stream_is_refused_as_json(
    client: Client, document: str, user: str | None, status: int, code: str
) -> None:
    async with client.arrow(document, user=user) as response:
        body = await response.json()
        assert (response.status, response.content_type) == (status, "application/json")
    assert [error["extensions"]["code"] for error in body["errors"]] == [code]


async def test_a_hidden_table_is_no_stream(client: Client, datasets: dict[str, str]) -> None:
    for user in ("analyst", "stranger"):
        async with client.arrow(FLIGHTS % datasets["nycflights13-lake"], user=user) as response:
            body = await response.json()
            assert response.status == 400
        assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_USER_INPUT"]


async def running(direct: Direct) -> list[str]:
    """Queries over the big table that run in ClickHouse now."""
    rows = await direct.clickhouse("SELECT query FROM system.processes WHERE query LIKE '%big%'")
    return [row["query"] for row in rows if "system.processes" not in row["query"]]


@pytest.mark.parametrize(("name", "document"), [("Big", BIG), ("Raw", RAW)], ids=["rows", "raw SQL"])
async def test_a_client_that_hangs_up_cancels_the_query(
    client: Client, gateway: Gateway, big: str, direct: Direct, name: str, document: str
) -> None:
    """A list of rows, and SQL of one's own."""
    logged = len(gateway.running.lines())
    given = {"id": big} if name == "Big" else {"id": big, "sql": "SELECT * FROM big"}
    async with client.arrow(document, given) as response:
        assert response.status == 200, await response.read()
        await response.content.readexactly(1_000_000)
        assert len(await running(direct)) == 1
        response.close()

    async def gone() -> bool:
        return await running(direct) == []

    await until(gone, timeout_s=10)
    await gateway.running.logs("CANCELLED", name, since=logged)


async def test_memory_stays_bounded(client: Client, gateway: Gateway, big: str) -> None:
    """Five million rows, some 350 MB, through a process that grows by less than 64 MiB."""
    await _table(client, FRAMES)
    before = peak = gateway.running.rss_bytes
    received = 0
    async with client.arrow(BIG, {"id": big}) as response:
        async for chunk in response.content.iter_any():
            received += len(chunk)
            peak = max(peak, gateway.running.rss_bytes)
    assert received > 200_000_000
    assert peak - before < 64 * 1024 * 1024


async def test_a_slow_reader_slows_the_store(client: Client, gateway: Gateway, big: str, direct: Direct) -> None:
    """Nothing is piled up for a client that does not read; its stream is whole all the same."""
    before = gateway.running.rss_bytes
    async with client.arrow(BIG, {"id": big}) as response:
        first = await response.content.readexactly(100_000)
        await asyncio.sleep(1)  # a reader's pause is what this is about
        assert len(await running(direct)) == 1
        assert gateway.running.rss_bytes - before < 64 * 1024 * 1024
        body = first + await response.read()
    with pa.ipc.open_stream(body) as reader:
        assert sum(batch.num_rows for batch in reader) == ROWS


@pytest.fixture
async def cut(
    env_file: Path, logs: Path, client: Client, settings: Settings
) -> AsyncIterator[tuple[Client, Proxy, Gateway]]:
    host, _, port = settings.clickhouse.url.removeprefix("http://").partition(":")
    async with Proxy.before(host, int(port)) as proxy:
        changes = {"AXION_CLICKHOUSE__URL": f"http://127.0.0.1:{proxy.port}"}
        async with Gateway.serve(env_file, logs / "cut.log", changes) as gateway:
            yield client.at(gateway.url), proxy, gateway


async def test_a_store_that_breaks_off_leaves_no_whole_stream(cut: tuple[Client, Proxy, Gateway]) -> None:
    """The connection breaks off, and what came has no end-of-stream mark. The log has the store's failure, and no
    traceback: the gateway is not at fault.
    """
    asking, proxy, gateway = cut
    received = bytearray()

    async def read(response: aiohttp.ClientResponse) -> None:
        async for chunk in response.content.iter_any():
            received.extend(chunk)

    with proxy.cut_after(5_000_000):
        async with asking.arrow(FRAMES) as response:
            assert response.status == 200
            with pytest.raises(aiohttp.ClientPayloadError):
                await read(response)
    assert len(received) > 1_000_000
    assert not received.endswith(END_OF_STREAM)
    await gateway.running.logs("stream_broken", "STORE_UNAVAILABLE", "clickhouse")
    await gateway.running.logs('"event":"request"', '"code":"STORE_UNAVAILABLE"')
    assert [line for line in gateway.running.lines() if "Traceback" in line] == []
    async with asking.arrow(FRAMES) as response:
        assert (await response.read()).endswith(END_OF_STREAM)


async def test_a_gateway_that_is_told_to_end_logs_one_line_for_each_stream(
    env_file: Path, logs: Path, client: Client, big: str
) -> None:
    """The server waits for them in vain, and cancels them: that is no error of the gateway's with a traceback."""
    streams = 3
    async with AsyncExitStack() as reading, Gateway.serve(env_file, logs / "told_to_end.log") as gateway:
        for _ in range(streams):
            response = await reading.enter_async_context(client.at(gateway.url).arrow(BIG, {"id": big}))
            await response.content.readexactly(100_000)
    lines = gateway.running.lines()
    assert len([line for line in lines if "stream_broken" in line and '"code":"CANCELLED"' in line]) == streams
    assert [line for line in lines if "Traceback" in line] == []


async def test_a_store_that_is_down_is_told_before_the_stream(cut: tuple[Client, Proxy, Gateway]) -> None:
    asking, proxy, _ = cut
    async with proxy.being("down"), asking.arrow(FRAMES) as response:
        body: Any = await response.json()
        assert (response.status, response.content_type) == (503, "application/json")
    (error,) = body["errors"]
    assert error["extensions"] == {"code": "STORE_UNAVAILABLE", "store": "clickhouse"}
