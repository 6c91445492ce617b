"""Queries in separate processes: the gateway is not affected by their memory, time or crashes."""

import asyncio
import os
import resource
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager, suppress
from pathlib import Path

import orjson
import pyarrow as pa
import pytest

from loaders.errors import StoreBusy, StoreQueryFailed, StoreTimeout, StoreUnavailable
from loaders.ledger import Ledger
from loaders.warehouses import s3_frames, s3_processes
from loaders.warehouses.base import Query
from loaders.warehouses.connectors import CONNECTORS
from loaders.warehouses.owned import Client, OwnedPool
from loaders.warehouses.process_places import ProcessPlaces
from loaders.warehouses.s3_parquet import S3Parquet
from loaders.warehouses.s3_processes import QueryProcess
from tests.conformance.subject import STORE
from tests.conformance.subjects.s3_parquet import S3ParquetSubject, S3Server

ROWS = 20_000
LARGE = {
    "a range": "SELECT list_max(range(400000000)) AS n",
    "doubled texts": "SELECT max(length(a)) AS n FROM ("
    + "SELECT a || a AS a FROM (" * 30
    + "SELECT 'ten signs.' || i AS a FROM range(3) AS r(i)"
    + ")" * 31,
    "doubled columns": "SELECT count(*) FROM (" + "SELECT *, * FROM (" * 22 + "SELECT a FROM t" + ")" * 23,
    "repeated": "SELECT max(length(repeat(s, 1000000))) AS n FROM t",
}

GATEWAY = """
import sys, orjson
from tests.conformance.test_s3_process import process_of
store, settings, request = orjson.loads(sys.stdin.buffer.readline())
process = process_of(store, settings)
print(process.pid, flush=True)
process.asked(request.encode())
"""


class Subject(S3ParquetSubject):
    bucket = "axion-process"


@pytest.fixture(scope="module")
async def subject(s3: S3Server) -> AsyncIterator[Subject]:
    made = Subject(s3)
    await made.prepare()
    await made.load("t", pa.table({"a": range(ROWS), "s": [f"text {n}" for n in range(ROWS)]}))
    yield made
    await made.close()


def process_of(store: str, settings: dict[str, object]) -> QueryProcess:
    return QueryProcess(store, *CONNECTORS["s3_parquet"].split(settings))


@pytest.fixture
async def warehouse(subject: Subject) -> AsyncIterator[S3Parquet]:
    opened = S3Parquet(STORE, *CONNECTORS["s3_parquet"].split(subject.settings()))
    yield opened
    await opened.close()


async def asked(warehouse: S3Parquet, sql: str, *, timeout_ms: int = 60_000) -> list[dict[str, object]]:
    table = await warehouse.describe("t", ledger=Ledger())
    async with aclosing(warehouse.query(Query(sql, (table,)), ledger=Ledger(), timeout_ms=timeout_ms)) as batches:
        return [row async for batch in batches for row in batch.to_pylist()]


def processes() -> set[int]:
    """Those of this process that run queries."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"s3_process" in (folder / "cmdline").read_bytes():
                found.add(int(folder.name))
    return found


async def test_a_process_is_used_again(warehouse: S3Parquet) -> None:
    others = processes()
    assert await asked(warehouse, "SELECT count(*) AS n FROM t") == [{"n": ROWS}]
    (first,) = processes() - others
    assert await asked(warehouse, "SELECT max(a) AS n FROM t") == [{"n": ROWS - 1}]
    with pytest.raises(StoreQueryFailed, match="does not fit the table"):
        await asked(warehouse, "SELECT none FROM t")
    assert await asked(warehouse, "SELECT a FROM t WHERE a < 0") == []
    assert processes() - others == {first}
    os.kill(first, signal.SIGKILL)  # whether it is gone by then or not
    assert await asked(warehouse, "SELECT min(a) AS n FROM t") == [{"n": 0}]
    assert first not in processes()


@pytest.mark.parametrize("name", LARGE)
async def test_memory_is_bounded(warehouse: S3Parquet, name: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises((StoreQueryFailed, StoreTimeout)):
        await asked(warehouse, LARGE[name], timeout_ms=5_000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10
    assert await asked(warehouse, "SELECT count(*) AS n FROM t") == [{"n": ROWS}]


async def test_memory_is_the_reason(warehouse: S3Parquet) -> None:
    with pytest.raises(StoreQueryFailed, match="more memory than it may use"):
        await asked(warehouse, LARGE["a range"])


async def test_a_row_that_is_too_large(warehouse: S3Parquet) -> None:
    with pytest.raises(StoreQueryFailed, match="a row of the answer is larger than 64 MiB"):
        await asked(warehouse, "SELECT repeat('x', 70000000) AS x, a FROM t LIMIT 3")
    large = await asked(warehouse, "SELECT repeat('x', 1000000) AS x, a FROM t LIMIT 30")
    assert [len(str(row["x"])) for row in large] == [1_000_000] * 30


async def test_it_is_killed_with_its_query(subject: Subject, warehouse: S3Parquet) -> None:
    others = processes()
    await asked(warehouse, "SELECT 1 AS n")
    (process,) = processes() - others
    with ending(process) as ended:
        reading = asyncio.create_task(asked(warehouse, subject.endless("t").sql.replace(".id", ".a")))
        async with asyncio.timeout(20):
            while not warehouse.running:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
        assert not has_ended(ended, within_s=0)
        reading.cancel()
        await asyncio.wait([reading])
        assert await asyncio.to_thread(has_ended, ended, within_s=20)


async def test_it_knows_nothing_of_the_gateway(subject: Subject, warehouse: S3Parquet) -> None:
    others = processes()
    await asked(warehouse, "SELECT 1 AS n")
    (process,) = processes() - others
    variables, line = of_process(process, "environ").split(b"\0"), of_process(process, "cmdline")
    assert {variable.partition(b"=")[0] for variable in variables if variable} <= {
        *(b"LC_CTYPE", b"LD_LIBRARY_PATH", b"PYTHONPATH", b"SSL_CERT_DIR", b"SSL_CERT_FILE")
    }
    assert str(subject.settings()["secret_key"]) not in line.decode()


async def test_requests_of_the_gateway_go_first(warehouse: S3Parquet) -> None:
    others = processes()
    await asked(warehouse, "SELECT 1 AS n")
    (process,) = processes() - others
    assert os.getpriority(os.PRIO_PROCESS, process) > os.getpriority(os.PRIO_PROCESS, 0)


def test_it_ends_with_the_gateway(subject: Subject) -> None:
    """However that ends, and whatever is asked."""
    endless = orjson.dumps([subject.endless("t").sql.replace(".id", ".a"), [(None, "t")], 600_000])
    gateway = subprocess.Popen((sys.executable, "-c", GATEWAY), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with gateway:
        assert gateway.stdin is not None
        assert gateway.stdout is not None
        gateway.stdin.write(orjson.dumps([STORE, subject.settings(), endless.decode()]) + b"\n")
        gateway.stdin.flush()
        with ending(int(gateway.stdout.readline())) as ended:
            assert not has_ended(ended, within_s=0)
            gateway.kill()
            assert has_ended(ended, within_s=20)


def of_process(process: int, file: str) -> bytes:
    return Path(f"/proc/{process}/{file}").read_bytes()


@contextmanager
def ending(process: int) -> Iterator[int]:
    """What becomes readable when it ends, with all its threads (pidfd_open(2))."""
    descriptor = os.pidfd_open(process)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def has_ended(ending: int, *, within_s: float) -> bool:
    return bool(select.select([ending], [], [], within_s)[0])


def test_a_defect_is_told(subject: Subject) -> None:
    process = process_of(STORE, subject.settings())
    assert process.asked(orjson.dumps(["SELECT 1", [(5, "t")], 1_000])) == (s3_frames.DEFECT, b"TypeError")
    process.close()


async def test_signals_to_all_of_a_service_are_the_gateways(warehouse: S3Parquet) -> None:
    """As a terminal and service managers send them: the gateway still answers what it was asked."""
    others = processes()
    await asked(warehouse, "SELECT 1 AS n")
    (process,) = processes() - others
    assert os.getpgid(process) == process
    for each in (signal.SIGINT, signal.SIGTERM):
        os.kill(process, each)
        assert await asked(warehouse, "SELECT 1 AS n") == [{"n": 1}]
    assert processes() - others == {process}


async def test_the_system_ends_it_first_where_memory_is_short(warehouse: S3Parquet) -> None:
    others = processes()
    await asked(warehouse, "SELECT 1 AS n")
    (process,) = processes() - others
    assert of_process(process, "oom_score_adj") == b"1000\n"


async def test_one_that_cannot_be_begun_is_told(warehouse: S3Parquet) -> None:
    table = await warehouse.describe("t", ledger=Ledger())
    few, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")), most))
    try:
        async with aclosing(warehouse.query(Query("SELECT 1 AS n", (table,)), ledger=Ledger())) as batches:
            with pytest.raises(StoreBusy, match="has no room"):
                await anext(batches)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (few, most))
    assert await asked(warehouse, "SELECT 1 AS n") == [{"n": 1}]


async def test_data_sources_share_the_room_of_their_gateway(subject: Subject) -> None:
    others, places = processes(), ProcessPlaces(1)
    one, other = (
        S3Parquet(STORE, *CONNECTORS["s3_parquet"].split(subject.settings()), places=places) for _ in range(2)
    )
    assert await asked(one, "SELECT 1 AS n") == [{"n": 1}]
    (first,) = processes() - others
    with ending(first) as ended:
        assert await asked(other, "SELECT 2 AS n") == [{"n": 2}]
        assert await asyncio.to_thread(has_ended, ended, within_s=20)
    assert await asyncio.gather(*(asked(each, "SELECT 3 AS n") for each in (one, other))) == [[{"n": 3}]] * 2
    await one.close()
    await other.close()


async def test_who_waits_while_it_closes_begins_nothing(subject: Subject) -> None:
    places, elsewhere = ProcessPlaces(1), OwnedPool[int]("elsewhere", Client(int, repr))
    warehouse = S3Parquet(STORE, *CONNECTORS["s3_parquet"].split(subject.settings()), places=places)
    before = processes()
    async with aclosing(warehouse.query(Query("SELECT 1 AS n", ()), ledger=Ledger())) as batches:
        async with places.place(elsewhere):
            waiting = asyncio.create_task(anext(batches))
            await asyncio.sleep(0)  # it has begun to wait
            await warehouse.close()
        with pytest.raises(StoreUnavailable, match="was changed"):
            await waiting
    assert processes() <= before


async def test_few_run_at_once(warehouse: S3Parquet) -> None:
    others = processes()
    for answer in await asyncio.gather(*(asked(warehouse, f"SELECT {n} AS n FROM t LIMIT 1") for n in range(9))):
        assert len(answer) == 1
    assert 1 <= len(processes() - others) <= 4


def test_one_that_does_not_start_is_told(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_processes, "_MODULE", "loaders.warehouses.no_such_module")
    process = process_of(STORE, subject.settings())
    with pytest.raises(RuntimeError, match="does not start"):
        process.asked(b"[]")
    process.close()
