"""A Flight SQL server names endpoints for its rows: its own are read, one after another; no other place is dialed."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import pyarrow as pa
import pytest
from pyarrow import flight

from deploy.local.flight_sql_server.authentication import Credentials
from deploy.local.flight_sql_server.engine import Engine
from deploy.local.flight_sql_server.messages import Message
from deploy.local.flight_sql_server.server import FlightSqlServer
from loaders.columnar.sound import MOST_ROWS
from loaders.columnar.statement import Statement
from loaders.errors import StoreError, StoreQueryFailed, StoreTimeout
from loaders.ledger import Ledger
from loaders.warehouses import flight_sql_session
from loaders.warehouses.base import Query, Warehouse
from loaders.warehouses.connectors import connector
from loaders.warehouses.flight_sql_endpoints import Home, RowsElsewhere
from tests.ports import free_port
from tests.waiting import until

STORE = "datasource:flight"
REUSE = "arrow-flight-reuse-connection://?"


@dataclass
class Answers:
    """How the server answers: each list of locations is that of one endpoint. `schema` is told with them."""

    endpoints: Sequence[Sequence[str]] = ((),)
    schema: pa.Schema | None = None
    queries: Sequence[str] | None = None
    """In place of the query that was asked, one for each endpoint."""
    rows: pa.RecordBatch | None = None
    """In place of the rows of whatever was asked."""
    is_cancelled: bool = False
    """Whether a listing ends after its first rows, as if somebody had cancelled it."""
    asked: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    """The queries among the tickets that were redeemed."""


class Naming(FlightSqlServer):
    """Answers all questions with the endpoints it is told."""

    def __init__(self, location: str, engine: Engine, answers: Answers) -> None:
        super().__init__(location, engine, Credentials("ann", "p", "t0ken"))
        self._answers = answers

    def get_flight_info(self, context: object, descriptor: flight.FlightDescriptor) -> flight.FlightInfo:
        info = super().get_flight_info(context, descriptor)
        (found,) = info.endpoints
        self._answers.asked.append(Message.parse(descriptor.command).name)
        tickets = [found.ticket.ticket] * len(self._answers.endpoints)
        if self._answers.queries is not None and self._answers.asked[-1].endswith("StatementQuery"):
            tickets = [Message("TicketStatementQuery", ((1, sql.encode()),)).pack() for sql in self._answers.queries]
        endpoints = [
            flight.FlightEndpoint(ticket, list(locations))
            for ticket, locations in zip(tickets, self._answers.endpoints, strict=True)
        ]
        return flight.FlightInfo(self._answers.schema, descriptor, endpoints, -1, -1)

    def do_get(self, context: flight.ServerCallContext, ticket: flight.Ticket) -> flight.FlightDataStream:
        if self._answers.is_cancelled:
            return flight.GeneratorStream(_LISTED.schema, _cancelled())
        if self._answers.rows is not None:
            return flight.GeneratorStream(self._answers.rows.schema, iter([self._answers.rows]))
        message = Message.parse(ticket.ticket)
        if message.name == "TicketStatementQuery":
            self._answers.read.append(message.bytes_(1).decode())
        return super().do_get(context, ticket)


_LISTED = pa.table({"db_schema_name": ["main"], "table_name": ["numbers"], "table_type": ["BASE TABLE"]})


def _cancelled() -> Iterator[pa.RecordBatch]:
    yield from _LISTED.to_batches()
    raise flight.FlightCancelledError("cancelled by the server")


@pytest.fixture
def engine() -> Iterator[Engine]:
    with closing(Engine(None)) as engine:
        engine.table("CREATE TABLE numbers AS SELECT range AS n FROM range(5)")
        yield engine


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def url(engine: Engine, answers: Answers) -> Iterator[str]:
    location = f"grpc://127.0.0.1:{free_port()}"
    with Naming(location, engine, answers):
        yield location


@pytest.fixture
async def warehouse(url: str) -> AsyncIterator[Warehouse]:
    settings = {"url": url, "dialect": "duckdb", "db_schema": "main", "username": "ann", "password": "p"}
    options, sealed = connector("flight_sql").split(settings | {"timeout_ms": 10_000})
    opened = connector("flight_sql").warehouse(STORE, options.model_dump(), sealed.to_bytes())
    yield opened
    await opened.close()


async def ping(warehouse: Warehouse) -> None:
    await warehouse.ping(ledger=Ledger())


async def listing(warehouse: Warehouse) -> None:
    await warehouse.list_tables(ledger=Ledger())


async def describing(warehouse: Warehouse) -> None:
    await warehouse.describe("numbers", ledger=Ledger())


async def reading(warehouse: Warehouse) -> None:
    async for _ in warehouse.stream(Statement("SELECT n AS c0 FROM main.numbers", (), ()), ledger=Ledger()):
        pass


async def raw_sql(warehouse: Warehouse) -> None:
    await rows(warehouse)


async def rows(warehouse: Warehouse, sql: str = "SELECT n FROM numbers") -> list[object]:
    batches = [batch async for batch in warehouse.query(Query(sql, ()), ledger=Ledger())]
    assert batches[0].schema.names == ["n"]
    return [value for batch in batches for value in batch.column(0).to_pylist()]


@pytest.fixture
def trap() -> Iterator[socket.socket]:
    """A place inside the network, which a hostile server would like to have called."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.setblocking(False)
        yield listening


@pytest.mark.parametrize("ask", [ping, listing, describing, reading, raw_sql])
@pytest.mark.parametrize("schema", [None, pa.schema([("n", pa.int64())])], ids=["schema not told", "schema told"])
async def test_no_other_place_is_dialed(
    warehouse: Warehouse,
    answers: Answers,
    trap: socket.socket,
    ask: Callable[[Warehouse], Awaitable[None]],
    schema: pa.Schema | None,
) -> None:
    """Neither for what is asked, nor for the question the driver asks when it is opened."""
    host, port = trap.getsockname()
    answers.endpoints, answers.schema = [[f"grpc://{host}:{port}"]], schema
    with pytest.raises(StoreError) as refused:
        await ask(warehouse)
    assert type(refused.value) is StoreQueryFailed
    assert "sends its reader to another host or port" in str(refused.value)
    assert str(port) not in str(refused.value)
    assert answers.asked
    with pytest.raises(BlockingIOError):
        trap.accept()


async def test_an_answer_that_the_server_cancels_interrupts_nobody(warehouse: Warehouse, answers: Answers) -> None:
    """pyarrow's `read_all` would have SIGINT raised in the gateway."""
    interrupted: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: interrupted.append(number))
    try:
        answers.is_cancelled = True
        with pytest.raises(StoreQueryFailed, match="could not run the query"):
            await listing(warehouse)
    finally:
        signal.signal(signal.SIGINT, before)
    assert interrupted == []


async def test_an_endless_listing_is_not_held_in_memory(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    await listing(warehouse)
    monkeypatch.setattr(flight_sql_session, "_METADATA_BYTES", 20)
    with pytest.raises(StoreQueryFailed, match="could not run the query"):
        await listing(warehouse)


async def test_a_listing_of_many_endpoints_has_one_deadline(
    warehouse: Warehouse, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers.endpoints = [[]] * 3
    await listing(warehouse)
    clock = iter(range(0, 1_000, 6))  # of the 10 seconds that there are, each endpoint takes 6
    monkeypatch.setattr(flight_sql_session, "monotonic", lambda: next(clock))
    with pytest.raises(StoreTimeout):
        await listing(warehouse)


def _beyond() -> pa.Array:
    """A text of 100 bytes, of which the buffer has one, and a null that hides that the text after it has less than
    none.
    """
    offsets = pa.array([0, 100, 1], pa.int32()).buffers()[1]
    return pa.Array.from_buffers(pa.string(), 2, [pa.py_buffer(b"\x01"), offsets, pa.py_buffer(b"x")])


def _not_text() -> pa.Array:
    offsets = pa.array([0, 1], pa.int32()).buffers()[1]
    return pa.Array.from_buffers(pa.string(), 1, [None, offsets, pa.py_buffer(b"\xff")])


@pytest.mark.parametrize(
    "column",
    [_beyond(), _not_text(), pa.nulls(1), pa.nulls(MOST_ROWS + 1), pa.array([1])],
    ids=["beyond its buffer", "not UTF-8", "null", "more nulls than rows are accepted", "a number"],
)
async def test_a_listing_that_is_no_text_is_refused(warehouse: Warehouse, answers: Answers, column: pa.Array) -> None:
    """What was read beyond a buffer was the gateway's own memory."""
    answers.rows = pa.record_batch([column] * 3, _LISTED.schema.names)
    with pytest.raises(StoreQueryFailed):
        await listing(warehouse)


@pytest.mark.parametrize("ask", [reading, raw_sql])
async def test_rows_beyond_their_buffers_are_refused(
    warehouse: Warehouse, answers: Answers, ask: Callable[[Warehouse], Awaitable[None]]
) -> None:
    answers.rows = pa.record_batch([_beyond()], ["n"])
    with pytest.raises(StoreQueryFailed, match="no valid Arrow data"):
        await ask(warehouse)


async def test_one_endpoint_elsewhere_is_enough(warehouse: Warehouse, answers: Answers, trap: socket.socket) -> None:
    host, port = trap.getsockname()
    answers.endpoints, answers.queries = [[], [f"grpc://{host}:{port}"]], ["SELECT 1 AS n"] * 2
    with pytest.raises(StoreQueryFailed, match="another host or port"):
        await raw_sql(warehouse)
    with pytest.raises(BlockingIOError):
        trap.accept()


async def test_a_server_that_names_itself_is_read(warehouse: Warehouse, answers: Answers, url: str) -> None:
    """And one of whose locations is its own: that one is meant for whom the others are not."""
    own = url.removeprefix("grpc://")
    for locations in ([], [REUSE], [url], [f"grpc+tcp://{own}"], ["grpc://elsewhere.invalid:1", url]):
        answers.endpoints = [locations]
        await ping(warehouse)
        assert [table.name for table in await warehouse.list_tables(ledger=Ledger())] == ["numbers"]
        assert [column.name for column in (await warehouse.describe("numbers", ledger=Ledger())).columns] == ["n"]
        assert await rows(warehouse) == [0, 1, 2, 3, 4], locations


@pytest.mark.parametrize("schema", [None, pa.schema([("n", pa.int64())])], ids=["schema not told", "schema told"])
async def test_rows_of_several_endpoints_come_in_their_order(
    warehouse: Warehouse, answers: Answers, url: str, schema: pa.Schema | None
) -> None:
    answers.endpoints, answers.schema = [[], [REUSE], [url], []], schema
    answers.queries = [
        "SELECT range AS n FROM range(20000)",
        "SELECT 1::BIGINT AS n WHERE false",
        "SELECT range AS n FROM range(20000, 40000)",
        "SELECT 40000::BIGINT AS n",
    ]
    assert await rows(warehouse) == list(range(40_001))


async def test_a_reader_who_leaves_ends_whichever_endpoint_is_read(
    warehouse: Warehouse, answers: Answers, engine: Engine
) -> None:
    endless = (
        "SELECT hash(a.i, b.i)::BIGINT AS n FROM range(1000000) a(i), range(1000000) b(i) WHERE hash(a.i, b.i) = 0"
    )
    for queries in (["SELECT 1::BIGINT AS n", endless], [endless, "SELECT 1::BIGINT AS n"]):
        answers.endpoints, answers.queries = [[], []], queries
        asked = queries[: queries.index(endless) + 1]
        reading = asyncio.create_task(rows(warehouse))
        await until(lambda asked=asked: engine.running > 0 and answers.read == asked)  # type: ignore[misc]
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await until(lambda: engine.running == 0)
        answers.read.clear()


async def test_no_endpoint_at_all_is_an_answer_without_rows(warehouse: Warehouse, answers: Answers) -> None:
    answers.endpoints, answers.queries, answers.schema = [], [], pa.schema([("n", pa.int64())])
    assert await rows(warehouse) == []
    answers.schema = None
    with pytest.raises(StoreQueryFailed):
        await rows(warehouse)


async def test_endpoints_of_different_columns_are_no_answer(warehouse: Warehouse, answers: Answers) -> None:
    answers.endpoints, answers.queries = [[], []], ["SELECT 1::BIGINT AS n", "SELECT 'x' AS n"]
    with pytest.raises(StoreQueryFailed):
        await rows(warehouse)
    answers.endpoints, answers.queries = [[]], ["SELECT 2::BIGINT AS n"]
    assert await rows(warehouse) == [2]


@pytest.mark.parametrize(
    ("location", "own"),
    [
        ("grpc://Warehouse.example:32010", True),
        ("grpc+tls://warehouse.example:32010", True),
        ("grpc+tcp://10.1.2.3:32010", True),
        ("grpc://[fd00::1]:32010", True),
        (REUSE, True),
        ("grpc://warehouse.example:32011", False),
        ("grpc://warehouse.example", False),
        ("grpc://10.1.2.4:32010", False),
        ("grpc://warehouse.example@10.1.2.4:32010", False),
        ("grpc://warehouse.example:32010@10.1.2.4:32010", False),
        ("grpc://warehouse.example.evil:32010", False),
        ("https://warehouse.example:32010/rows", False),
        ("grpc+unix:///var/run/docker.sock", False),
    ],
)
def test_what_is_the_servers_own(location: str, own: bool) -> None:
    home = Home(32010, "warehouse.example", "10.1.2.3", "fd00::1")
    endpoints = [flight.FlightEndpoint(b"ticket", [location])]
    if own:
        assert [ticket.ticket for ticket in home.tickets(endpoints)] == [b"ticket"]
    else:
        with pytest.raises(RowsElsewhere):
            home.tickets(endpoints)
