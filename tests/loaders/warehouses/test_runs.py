"""States of a run that no server here causes: no rows yet, closed while interrupted, a failing release."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import adbc_driver_flightsql.dbapi as flight_sql
import duckdb
import pyarrow as pa
import pytest
from adbc_driver_manager import AdbcStatusCode
from google.api_core.retry import Retry

from loaders.columnar.sound import UnsoundBatch
from loaders.columnar.statement import Statement
from loaders.errors import StoreQueryFailed
from loaders.warehouses.bigquery_errors import BIGQUERY_FAILURES, store_error
from loaders.warehouses.bigquery_run import BigQueryRun
from loaders.warehouses.blocking import BlockingRun, WarehouseClosed
from loaders.warehouses.duckdb_run import DuckDbRun
from loaders.warehouses.flight_sql_run import FlightSqlRun
from loaders.warehouses.flight_sql_session import Session as FlightSession
from loaders.warehouses.impala_errors import QueryCancelled
from loaders.warehouses.impala_run import ImpalaRun
from loaders.warehouses.impala_session import Session
from loaders.warehouses.owned import Client, Owned
from tests.loaders.columnar.test_sound import text

NOTHING = Statement("SELECT 1", (), ())


class Batch:
    """impyla's."""

    def __init__(self, values: Sequence[int], *, more: bool) -> None:
        self.columns = [SimpleNamespace(values=values, nulls=[False] * len(values))] if values else []
        self.expect_more_rows = more
        self._rows = len(values)

    def __len__(self) -> int:
        return self._rows


class Operation:
    """Answers fetches with these, then with nothing yet, for ever."""

    is_columnar = has_result_set = True
    handle = object()

    def __init__(self, *batches: Batch) -> None:
        self._batches = iter(batches)
        self.asked_for_more = threading.Event()

    def fetch(self, *_: object, **__: object) -> Batch:
        batch = next(self._batches, None)
        if batch is not None:
            return batch
        self.asked_for_more.set()
        return Batch([], more=True)


def running(operation: Operation) -> ImpalaRun:
    owned: Owned[Session] = Owned("impala", Client(lambda: pytest.fail("dialed"), Session.close))
    run = ImpalaRun(owned, NOTHING, elsewhere=lambda _: None, timeout_s=60)
    cursor: Any = SimpleNamespace(
        _last_operation=operation,
        description=[("n", "BIGINT", None, None, None, None, None)],
        buffersize=8_192,
        convert_types=False,
        convert_strings_to_unicode=False,
    )
    run._session = Session(None, cursor)
    return run


def test_no_rows_yet_are_not_the_end_of_an_answer() -> None:
    run = running(
        Operation(
            Batch([], more=True),
            Batch([1, 2], more=False),  # as Hive and Spark have it, whatever follows
            Batch([], more=True),
            Batch([], more=True),
            Batch([3], more=True),
            Batch([], more=False),
        )
    )
    found: list[object] = []
    while (batch := run.read()) is not None:
        found += batch.column(0).to_pylist()
    assert found == [1, 2, 3]


def test_who_waits_for_rows_can_be_ended() -> None:
    operation = Operation()
    run = running(operation)
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(run.read)
        assert operation.asked_for_more.wait(30)
        run.interrupt()
        with pytest.raises(QueryCancelled):
            reading.result(30)
    assert not run.spoiled


def duckdb_run(freed: list[DuckDbRun]) -> DuckDbRun:
    run = DuckDbRun(ThreadPoolExecutor(1), memory_limit="64MB", timeout_s=60, on_freed=freed.append)
    run._connection = duckdb.connect(":memory:")
    return run


def test_an_engine_that_is_closed_meanwhile_needs_no_interrupt() -> None:
    run = duckdb_run([])
    connection = run._connection
    assert connection is not None
    connection.close()
    run.interrupt()
    with pytest.raises(duckdb.ConnectionException):
        connection.interrupt()


def test_a_statement_that_is_closed_meanwhile_needs_no_interrupt() -> None:
    owned: Owned[FlightSession] = Owned("flight", Client(lambda: pytest.fail("dialed"), lambda _: None))
    run = FlightSqlRun(owned, NOTHING, timeout_s=60)
    with flight_sql.connect("grpc://127.0.0.1:1", autocommit=True) as connection:  # dials nothing by itself
        run._cursor = connection.cursor()
        run._cursor.close()
        run.interrupt()
        with pytest.raises(flight_sql.ProgrammingError):
            run._cursor.adbc_cancel()


def test_an_engine_is_closed_though_its_reader_is_not() -> None:
    class Reader:
        def close(self) -> None:
            raise pa.ArrowInvalid("not closed")

    freed: list[DuckDbRun] = []
    run = duckdb_run(freed)
    connection: Any = run._connection
    run._reader = Reader()
    with pytest.raises(pa.ArrowInvalid, match="not closed"):
        run.free()
    assert freed == [run]
    with pytest.raises(duckdb.ConnectionException):
        connection.execute("SELECT 1")


async def test_a_statement_is_closed_though_it_is_not_cancelled() -> None:
    """And its connection is not for further use."""
    asked: list[str] = []

    class Connection:
        adbc_connection = SimpleNamespace(cancel=lambda: asked.append("cancel what is read"))

    class Cursor:
        connection = Connection()

        def adbc_cancel(self) -> None:
            asked.append("cancel")
            raise flight_sql.InternalError("not cancelled", status_code=AdbcStatusCode.INTERNAL)

        def close(self) -> None:
            asked.append("close")

    class Reader:
        def close(self) -> None:
            asked.append("close the reader")
            raise pa.ArrowInvalid("not closed")

    owned: Owned[FlightSession] = Owned("flight", Client(lambda: pytest.fail("dialed"), lambda _: None))
    run: Any = FlightSqlRun(owned, NOTHING, timeout_s=60)
    run._cursor, run._reader = Cursor(), Reader()
    assert not await run.close()
    assert asked == ["cancel", "cancel what is read", "close the reader", "close"]
    owned.drop()


class Held(BlockingRun):
    """Holds something until it is freed, and is interrupted for nothing."""

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        super().__init__(executor, timeout_s=60)
        self.freed = threading.Event()

    def interrupt(self) -> None:
        return

    def free(self) -> None:
        self.freed.set()


@pytest.fixture
def busy() -> Iterator[ThreadPoolExecutor]:
    """Its one thread is taken until the test ends, so that what it is given has to wait."""
    let_go = threading.Event()
    executor = ThreadPoolExecutor(1)
    executor.submit(let_go.wait, 60)
    yield executor
    let_go.set()


async def test_what_waits_to_be_freed_is_freed_though_its_warehouse_closes(busy: ThreadPoolExecutor) -> None:
    run = Held(busy)
    closing = asyncio.create_task(run.close())
    await asyncio.sleep(0)  # it has queued what frees
    busy.shutdown(wait=False, cancel_futures=True)
    assert await closing
    assert run.freed.is_set()


async def test_a_call_that_waits_is_told_that_its_warehouse_closes(busy: ThreadPoolExecutor) -> None:
    """It was not its caller who was cancelled."""
    run = Held(busy)
    waiting = asyncio.create_task(run.call(lambda: 1))
    await asyncio.sleep(0)  # it has queued the call
    busy.shutdown(wait=False, cancel_futures=True)
    with pytest.raises(WarehouseClosed):
        await waiting
    with pytest.raises(WarehouseClosed):
        await run.call(lambda: 1)
    assert await run.close()
    assert run.freed.is_set()


def test_rows_of_bigquery_beyond_their_buffers_are_refused(busy: ThreadPoolExecutor) -> None:
    """`storage_endpoint` may be any server."""
    sent = pa.record_batch([text([0, 100, 3])], ["a"])
    rows = SimpleNamespace(serialized_record_batch=sent.serialize().to_pybytes())
    session = SimpleNamespace(
        arrow_schema=SimpleNamespace(serialized_schema=sent.schema.serialize().to_pybytes()),
        streams=[SimpleNamespace(name="stream")],
    )
    storage = SimpleNamespace(
        create_read_session=lambda **_: session,
        read_rows=lambda **_: [SimpleNamespace(arrow_record_batch=rows)],
    )
    clients: Any = SimpleNamespace(storage=storage)
    run = BigQueryRun(
        busy,
        busy,
        clients,
        NOTHING,
        location=None,
        dataset_location=lambda: "EU",
        maximum_bytes_billed=None,
        retry=Retry(),
        timeout_s=60,
    )
    table = SimpleNamespace(project="p", dataset_id="d", table_id="t")
    job: Any = SimpleNamespace(project="p", destination=table)
    with pytest.raises(UnsoundBatch) as refused:
        next(run._read(job))
    assert isinstance(refused.value, BIGQUERY_FAILURES)
    assert type(store_error("bigquery", refused.value)) is StoreQueryFailed
