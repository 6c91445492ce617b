"""The HTTP interface, called without a client library."""

import asyncio
import gzip
import io
import json
import uuid
from collections.abc import Callable

import aiohttp
import lz4.frame  # type: ignore[import-untyped]
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.deploy.clickhouse_server.fixtures import Http
from tests.deploy.clickhouse_server.server import Server

ENDLESS = "SELECT number FROM numbers(100000000000)"
SLOW = "SELECT sum(sipHash64(number)) FROM numbers(100000000000)"


async def _until_running(http: Http, query_id: str) -> None:
    async with asyncio.timeout(10):
        while query_id not in await http.running():
            continue


async def _until_gone(http: Http, query_id: str) -> None:
    async with asyncio.timeout(10):
        while query_id in await http.running():
            continue


async def test_many_blocks_are_one_arrow_stream(http: Http) -> None:
    async with http.post(
        "SELECT number AS n, toString(number) AS s FROM numbers(1000000) FORMAT ArrowStream"
    ) as response:
        body = await response.read()
    with pa.ipc.open_stream(body) as reader:
        table = reader.read_all()
    assert table.num_rows == 1_000_000
    assert pc.sum(table["n"]).as_py() == 499_999_500_000
    assert body.count(b"\xff\xff\xff\xff\x00\x00\x00\x00", len(body) - 8) == 1


@pytest.mark.parametrize(
    "sql", ["SELECT 1 AS a WHERE 0", "WITH 2 AS b SELECT b AS a FROM numbers(0) SETTINGS max_threads = 1"]
)
async def test_no_rows_have_a_schema_in_arrow(http: Http, sql: str) -> None:
    async with http.post(sql, default_format="ArrowStream") as response:
        table = pa.ipc.open_stream(await response.read()).read_all()
    assert (table.num_rows, table.column_names) == (0, ["a"])


@pytest.mark.parametrize(
    ("format_name", "begin", "lines"),
    [
        ("TSV", "0\n", 200_000),
        ("TSVWithNames", "n\n0\n", 200_001),
        ("CSVWithNames", '"n"\n0\n', 200_001),
        ("JSONEachRow", '{"n":0}\n', 200_000),
    ],
)
async def test_headers_are_not_repeated(http: Http, format_name: str, begin: str, lines: int) -> None:
    text = await http.text(f"SELECT number AS n FROM numbers(200000) FORMAT {format_name}")
    assert text.startswith(begin)
    assert text.count("\n") == lines
    assert len(set(text.splitlines())) == lines


async def test_json_is_one_document(http: Http) -> None:
    document = json.loads(await http.text("SELECT number AS n FROM numbers(200000) FORMAT JSON"))
    assert (document["rows"], len(document["data"])) == (200_000, 200_000)


async def test_totals_are_kept(http: Http) -> None:
    sql = "SELECT number % 2 AS k, count() FROM numbers(10) GROUP BY k WITH TOTALS ORDER BY k"
    assert await http.text(sql) == "0\t5\n1\t5\n\n0\t10\n"


async def test_headers(http: Http) -> None:
    async with http.post("SELECT number FROM numbers(7)", query_id="named", default_format="JSONEachRow") as response:
        headers = response.headers
        assert headers["X-ClickHouse-Query-Id"] == "named"
        assert headers["X-ClickHouse-Format"] == "JSONEachRow"
        assert headers["X-ClickHouse-Timezone"]
        assert headers["Content-Type"].startswith("application/x-ndjson")
        summary = json.loads(headers["X-ClickHouse-Summary"])
    assert (summary["read_rows"], summary["result_rows"]) == ("7", "7")


@pytest.mark.parametrize(
    ("sql", "parameters", "status", "code"),
    [
        ("SELECT nope", {}, 404, 47),
        ("SELECT 1 FROM nope", {}, 404, 60),
        ("SELEKT 1", {}, 400, 62),
        ("SELECT 1; SELECT 2", {}, 400, 62),
        ("", {}, 400, 62),
        ("SELECT 1", {"nonsense": "1"}, 404, 115),
        ("SELECT 1", {"max_threads": "many"}, 400, 27),
        ("SELECT 1", {"no.name": "1"}, 404, 115),
        ("SELECT 1", {"database": "nope"}, 404, 81),
        ("SELECT {x:UInt8}", {"param_x": "a"}, 400, 457),
        ("SELECT {x:UInt8}", {}, 400, 456),
        ("SELECT 1", {"compress": "1"}, 501, 48),
        ("CREATE TABLE never (a Int8) ENGINE = Memory", {"readonly": "1"}, 500, 164),
        ("SELECT 1 SETTINGS max_threads = 3", {"readonly": "1"}, 500, 164),
        ("SELECT sleepEachRow(1) FROM numbers(3)", {"max_execution_time": "0.1"}, 408, 159),
        ("SELECT * FROM file('/etc/passwd')", {}, 500, 497),
        ("SELECT throwIf(number = 5) FROM numbers(10)", {}, 500, 395),
    ],
)
async def test_refusals(http: Http, sql: str, parameters: dict[str, str], status: int, code: int) -> None:
    async with http.post(sql, **parameters) as response:
        text = await response.text()
        assert (response.status, response.headers["X-ClickHouse-Exception-Code"]) == (status, str(code)), text
    assert text.startswith(f"Code: {code}. DB::Exception: ")


async def test_get_only_reads(http: Http) -> None:
    async with http.session.get(http.server.url, params={"query": "SELECT 1"}) as response:
        assert await response.text() == "1\n"
    async with http.session.get(
        http.server.url, params={"query": "CREATE TABLE g (a Int8) ENGINE = Memory"}
    ) as response:
        assert response.headers["X-ClickHouse-Exception-Code"] == "164"


async def test_wrong_password(server: Server) -> None:
    async with aiohttp.ClientSession(headers={"X-ClickHouse-User": "default", "X-ClickHouse-Key": "wrong"}) as session:
        async with session.post(server.url, data="SELECT 1") as response:
            assert response.status == 403
            assert response.headers["X-ClickHouse-Exception-Code"] == "516"
        async with session.get(f"{server.url}/ping") as response:
            assert await response.text() == "Ok.\n"


@pytest.mark.parametrize(
    ("query", "body", "rows"),
    [
        ("", b"INSERT INTO {t} VALUES (1, 'a'), (2, 'b;')", "1\ta\n2\tb;\n"),
        ("", b'INSERT INTO {t} FORMAT JSONEachRow {"a": 3, "s": "c"}', "3\tc\n"),
        ("INSERT INTO {t} FORMAT TSV", b"4\td\n", "4\td\n"),
        ("INSERT INTO {t} (s, a) FORMAT CSV", b'"e",5', "5\te\n"),
        ("INSERT INTO {t} VALUES", b"(6, 'f')", "6\tf\n"),
        ("", b"INSERT INTO {t} SELECT 8, 'h'", "8\th\n"),
        ("INSERT INTO {t} (a) SETTINGS max_insert_threads = 1 FORMAT CSV", b"9", "9\t\n"),
        ("", b"INSERT INTO {t} VALUES (4 + 6, concat('i', 'j'))", "10\tij\n"),
        ("INSERT INTO {t} FORMAT TSV", b"", ""),
    ],
)
async def test_inserts(http: Http, query: str, body: bytes, rows: str) -> None:
    table = f"t_{uuid.uuid4().hex}"
    await http.text(f"CREATE TABLE {table} (a UInt64, s String) ENGINE = MergeTree ORDER BY a")
    parameters = {"query": query.format(t=table)} if query else {}
    await http.text(body.replace(b"{t}", table.encode()), **parameters)
    assert await http.text(f"SELECT a, s FROM {table} ORDER BY a") == rows


async def test_insert_of_many_chunks(http: Http) -> None:
    table = f"t_{uuid.uuid4().hex}"
    await http.text(f"CREATE TABLE {table} (a UInt64) ENGINE = MergeTree ORDER BY a")
    rows = "".join(f"{number}\n" for number in range(300_000)).encode()
    await http.text(io.BytesIO(f"INSERT INTO {table} FORMAT TSV\n".encode() + rows))
    assert await http.text(f"SELECT count(), sum(a) FROM {table}") == f"300000\t{sum(range(300_000))}\n"


async def test_insert_of_bad_data_writes_nothing(http: Http) -> None:
    table = f"t_{uuid.uuid4().hex}"
    await http.text(f"CREATE TABLE {table} (a UInt64) ENGINE = MergeTree ORDER BY a")
    async with http.post(f"INSERT INTO {table} FORMAT TSV\n1\nx\n") as response:
        assert (response.status, response.headers["X-ClickHouse-Exception-Code"]) == (400, "27")
    assert await http.text(f"SELECT count() FROM {table}") == "0\n"


@pytest.mark.parametrize(
    ("made", "format_name", "rows", "status", "code"),
    [
        ("(a UInt64, CONSTRAINT positive CHECK a > 0) ENGINE = MergeTree ORDER BY a", "TSV", b"1\n0\n", 500, "469"),
        ("(a UInt64) ENGINE = MergeTree ORDER BY a PARTITION BY a", "TSV", b"1\n2\n3\n", 500, "252"),
        ("(a UInt64) ENGINE = MergeTree ORDER BY a", "Nonsense", b"1\n", 404, "73"),
        ("(a UInt64) ENGINE = MergeTree ORDER BY a", "`TSV SELECT`", b"1\n", 404, "73"),
    ],
)
async def test_insert_that_the_table_does_not_take_is_no_success(
    http: Http, made: str, format_name: str, rows: bytes, status: int, code: str
) -> None:
    """Refused when it is committed, which chDB does not tell of rows that it is sent piece by piece."""
    table = f"t_{uuid.uuid4().hex}"
    await http.text(f"CREATE TABLE {table} {made}")
    insert = f"INSERT INTO {table} FORMAT {format_name}\n".encode() + rows
    async with http.post(insert, max_partitions_per_insert_block="2") as response:
        assert (response.status, response.headers["X-ClickHouse-Exception-Code"]) == (status, code)
        assert "/" not in await response.text()
    assert await http.text(f"SELECT count() FROM {table}") == "0\n"


@pytest.mark.parametrize(
    ("name", "compress", "decompress"),
    [("gzip", gzip.compress, gzip.decompress), ("lz4", lz4.frame.compress, lz4.frame.decompress)],
)
async def test_compression_both_ways(
    http: Http, name: str, compress: Callable[[bytes], bytes], decompress: Callable[[bytes], bytes]
) -> None:
    url = f"{http.server.url}/?enable_http_compression=1"
    headers = {"Content-Encoding": name, "Accept-Encoding": name}
    sql = b"SELECT number FROM numbers(300000) FORMAT TSV"
    async with (
        aiohttp.ClientSession(headers=http.server.authorization, auto_decompress=False) as session,
        session.post(url, data=compress(sql), headers=headers) as response,
    ):
        assert response.headers["Content-Encoding"] == name
        body = decompress(await response.read())
    assert body.count(b"\n") == 300_000


async def test_kill_by_the_clients_name(http: Http) -> None:
    async def run() -> tuple[int, str]:
        async with http.post(SLOW, query_id="victim") as response:
            return response.status, response.headers["X-ClickHouse-Exception-Code"]

    task = asyncio.create_task(run())
    await _until_running(http, "victim")
    assert await http.text("SELECT 1 FROM system.processes WHERE query_id = 'victim'") == "1\n"
    assert "finished" in await http.text("KILL QUERY WHERE query_id = 'victim' SYNC")
    assert await task == (500, "394")
    assert await http.running() == []


async def test_a_name_runs_once(http: Http) -> None:
    task = asyncio.create_task(http.text(SLOW, query_id="once"))
    await _until_running(http, "once")
    async with http.post("SELECT 1", query_id="once") as response:
        assert response.headers["X-ClickHouse-Exception-Code"] == "216"
    await http.text("KILL QUERY WHERE query_id = 'once' SYNC")
    with pytest.raises(AssertionError, match="QUERY_WAS_CANCELLED"):
        await task


@pytest.mark.parametrize("sql", [ENDLESS, SLOW])
async def test_a_client_that_hangs_up_cancels(http: Http, server: Server, sql: str) -> None:
    async with aiohttp.ClientSession(headers=server.authorization) as leaving:
        task = asyncio.create_task(leaving.post(f"{server.url}/?query_id=left", data=sql))
        await _until_running(http, "left")
        if sql == ENDLESS:
            response = await task
            await response.content.readexactly(1000)
            response.close()
        else:
            task.cancel()
    await _until_gone(http, "left")


async def test_a_failure_in_the_middle_breaks_the_answer(http: Http) -> None:
    sql = "SELECT number, throwIf(number = 2000000) FROM numbers(3000000) FORMAT Native"
    body = bytearray()
    async with http.post(sql) as response:
        assert response.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await _read_into(body, response)
    assert len(body) > 1_000_000
    assert f"__exception__\r\n{response.headers['X-ClickHouse-Exception-Tag']}".encode() in body[-2000:]


async def _read_into(body: bytearray, response: aiohttp.ClientResponse) -> None:
    async for chunk in response.content.iter_any():
        body += chunk


async def test_a_failure_keeps_its_status_when_told_to_wait(http: Http) -> None:
    sql = "SELECT number, throwIf(number = 2000000) FROM numbers(3000000) FORMAT Native"
    async with http.post(sql, wait_end_of_query="1") as response:
        assert (response.status, response.headers["X-ClickHouse-Exception-Code"]) == (500, "395")


async def test_a_slow_reader_holds_the_engine_back(http: Http) -> None:
    async with http.post(ENDLESS, query_id="slow", default_format="RowBinary") as response:
        await response.content.readexactly(1000)
        read: list[str] = []
        async with asyncio.timeout(10):
            while len(read) < 3 or read[-1] != read[-3]:
                read.append(await http.text("SELECT read_rows FROM system.processes WHERE query_id = 'slow'"))
        assert 0 < int(read[-1]) < 20_000_000
    await _until_gone(http, "slow")


async def test_eight_at_once_and_a_ping(http: Http) -> None:
    sql = "SELECT sum(sleepEachRow(0.1)) FROM numbers(5) SETTINGS max_block_size = 1"
    loop = asyncio.get_running_loop()
    started = loop.time()
    tasks = [asyncio.create_task(http.text(sql, query_id=f"sleeper-{number}")) for number in range(8)]
    await _until_running(http, "sleeper-7")
    async with http.session.get(f"{http.server.url}/ping") as response:
        assert await response.text() == "Ok.\n"
    assert not all(task.done() for task in tasks)
    assert await asyncio.gather(*tasks) == ["0\n"] * 8
    assert loop.time() - started < 8 * 0.5


async def test_sessions(http: Http) -> None:
    session = uuid.uuid4().hex
    await http.text("CREATE TEMPORARY TABLE mine (a Int8)", session_id=session)
    await http.text("INSERT INTO mine VALUES (5)", session_id=session)
    await http.text("SET max_threads = 3", session_id=session)
    assert await http.text("SELECT getSetting('max_threads')", session_id=session, max_threads="2") == "2\n"
    assert await http.text("SELECT a, getSetting('max_threads') FROM mine", session_id=session) == "5\t3\n"
    async with http.post("SELECT a FROM mine") as response:
        assert response.status == 404
    async with http.post("SELECT 1", session_id=uuid.uuid4().hex, session_check="1") as response:
        assert response.headers["X-ClickHouse-Exception-Code"] == "372"


async def test_h3_and_ids(http: Http) -> None:
    assert await http.text("SELECT h3ToString(geoToH3(52.5, 13.4, 9))") == "891f1d48b67ffff\n"
    sql = "SELECT toYYYYMM(UUIDv7ToDateTime(toUUID('018f2b1c-0000-7000-8000-000000000000')))"
    assert await http.text(sql) == "202404\n"
