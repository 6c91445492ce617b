"""Large answers: cut or refused by their bytes before they are JSON, and made JSON beside the event loop."""

import asyncio
import struct
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import orjson
import pyarrow as pa
import pytest

from loaders.columnar.batch_size import SMALL, apart, first_rows, size_of
from loaders.columnar.connection import read_connection
from loaders.columnar.dialect import Dialect
from loaders.columnar.statement import Statement
from loaders.description import Column, ColumnType, Kind, Table
from loaders.errors import PageTooLarge
from loaders.ledger import Ledger
from loaders.raw_sql.answer import collect_rows
from loaders.read import Aggregate, Col, Compare, Computed, Connection, Edges, Field, Nodes, Op, Page, Read
from loaders.room import Room
from tests.loaders.columnar.sources import DuckDb

T = TypeVar("T")
LETTERS = 10_000
TABLE = Table(
    "datasource:test", "main", "wide", (Column("id", ColumnType(Kind.BIGINT)), Column("body", ColumnType(Kind.TEXT)))
)
ROWS = Nodes((Field("id", Computed(Col("id"))), Field("body", Computed(Col("body")))))


@dataclass
class Held:
    """The engine with a bound of its own, and what came of its streams."""

    engine: DuckDb
    answer_bytes: int
    ended: list[bool] = field(default_factory=list)

    @property
    def dialect(self) -> Dialect:
        return self.engine.dialect

    async def stream(self, statement: Statement, *, ledger: Ledger) -> AsyncGenerator[pa.RecordBatch, None]:
        whole = False
        try:
            async for batch in self.engine.stream(statement, ledger=ledger):
                yield batch
            whole = True
        finally:
            self.ended.append(whole)


@pytest.fixture(scope="module")
def wide() -> Iterator[DuckDb]:
    engine = DuckDb()
    engine.execute(f"CREATE TABLE wide AS SELECT i AS id, i || repeat('\"', {LETTERS}) AS body FROM range(600) AS r(i)")
    yield engine
    engine.connection.close()


def rows(first: int) -> Read:
    return Read(TABLE, connection=Connection((("nodes", ROWS),)), page=Page(first))


async def turns_during(work: Awaitable[T]) -> tuple[T, int]:
    """What the work answers, and how often other tasks had their turn meanwhile."""
    turns, done = 0, False

    async def others() -> None:
        nonlocal turns
        while not done:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    try:
        return await work, turns
    finally:
        done = True
        await task


async def batches_of(*batches: pa.RecordBatch) -> AsyncIterator[pa.RecordBatch]:
    for batch in batches:
        yield batch


def numbers(*lengths: int) -> pa.RecordBatch:
    """One list for each length, of small numbers."""
    ends = [sum(lengths[:place]) for place in range(len(lengths) + 1)]
    values = pa.repeat(pa.scalar(7, pa.int64()), ends[-1])
    return pa.RecordBatch.from_arrays([pa.ListArray.from_arrays(pa.array(ends, pa.int32()), values)], names=["a"])


async def test_others_have_their_turn_while_a_large_answer_becomes_json(wide: DuckDb) -> None:
    small, few = await turns_during(read_connection(rows(1), wide, Ledger()))
    large, many = await turns_during(read_connection(rows(500), wide, Ledger()))
    assert len(orjson.loads(small)["nodes"]) == 1
    assert [len(node["body"]) for node in orjson.loads(large)["nodes"]][-1] > LETTERS
    assert many > few + 10


async def test_large_work_is_done_in_a_thread_and_small_work_at_once() -> None:
    loop_has_run = threading.Event()
    asyncio.get_running_loop().call_soon(loop_has_run.set)
    assert await apart(SMALL, lambda: loop_has_run.wait(60))
    here = threading.get_ident()
    assert await apart(SMALL - 1, threading.get_ident) == here


async def test_rows_beyond_the_bound_are_refused_and_the_query_ends(wide: DuckDb) -> None:
    source = Held(wide, answer_bytes=2 << 20)
    with pytest.raises(PageTooLarge, match=r"larger than 2097152 bytes\. Ask for fewer rows"):
        await read_connection(rows(500), source, Ledger())
    assert source.ended == [False]
    answer = orjson.loads(await read_connection(rows(100), source, Ledger()))
    assert len(answer["nodes"]) == 100


def repeated(times: int) -> Nodes:
    return Nodes(tuple(Field(f"body{n}", Computed(Col("body"))) for n in range(times)))


async def test_what_is_repeated_in_the_answer_counts_as_often(wide: DuckDb) -> None:
    """A column is read once, whatever number of fields shows it, and a node too, whatever number of lists does."""
    twice, thrice = (Connection((("nodes", repeated(times)),)) for times in (2, 9))
    nodes = Connection(tuple((f"n{n}", ROWS) for n in range(9)))
    edges = Connection((("edges", Edges(tuple((f"n{n}", ROWS) for n in range(9)))),))
    grouped = Aggregate((Col("body"),), tuple((f"b{n}", Col("body")) for n in range(9)))
    ledger = Ledger(room=Room(2 << 20))
    assert len(await read_connection(Read(TABLE, connection=twice, page=Page(20)), wide, ledger)) > 2 * 20 * LETTERS
    taken = ledger.room.taken
    for connection in (thrice, nodes, edges, Connection((("groups", grouped),))):
        few = Compare(Col("id"), Op.LT, 20)
        with pytest.raises(PageTooLarge, match="of the whole operation is larger than 2097152 bytes"):
            await read_connection(Read(TABLE, connection=connection, where=few, page=Page(20)), wide, ledger)
        assert ledger.room.taken == taken


async def test_the_answers_of_one_operation_count_together(wide: DuckDb) -> None:
    ledger = Ledger(room=Room(4 << 20))
    answer = await read_connection(rows(100), wide, ledger)
    assert ledger.room.taken == len(answer)
    with pytest.raises(PageTooLarge):
        await read_connection(rows(300), wide, ledger)
    assert ledger.room.taken == len(answer)
    await read_connection(rows(50), wide, ledger)


async def test_groups_beyond_the_bound_are_refused(wide: DuckDb) -> None:
    groups = Aggregate((Col("body"),), (("body", Col("body")),))
    read = Read(TABLE, connection=Connection((("groups", groups),)))
    with pytest.raises(PageTooLarge):
        await read_connection(read, Held(wide, answer_bytes=2 << 20), Ledger())


async def test_one_large_value_of_raw_sql_is_cut_before_it_is_json() -> None:
    found = await collect_rows(batches_of(numbers(3, 5_000_000, 3)), limit=10)
    assert found.truncated
    assert [orjson.loads(row) for row in found.rows] == [{"a": ["7", "7", "7"]}]
    behind = await collect_rows(batches_of(numbers(5_000_000), numbers(1)), limit=10)
    assert behind.truncated
    assert behind.rows == []


async def test_a_value_of_raw_sql_that_fits_becomes_json_beside_the_loop() -> None:
    found, turns = await turns_during(collect_rows(batches_of(numbers(500_000)), limit=10))
    assert not found.truncated
    assert len(orjson.loads(found.rows[0])["a"]) == 500_000
    assert turns > 10


def views(text: bytes, times: int) -> pa.Array:
    """Views that all show the same bytes."""
    view = struct.pack("<i4sii", len(text), text[:4], 0, 0)
    return pa.Array.from_buffers(pa.string_view(), times, [None, pa.py_buffer(view * times), pa.py_buffer(text)])


REPEATED = views(b"x" * 5_000, 1_000)
SAME = pa.array([0] * 1_000, pa.int32())


@pytest.mark.parametrize(
    ("column", "least"),
    [
        (pa.array([[True] * 1000]), 8_000),
        (pa.array([[None] * 1000]), 8_000),
        (pa.array([[[None] * 1000]]), 8_000),
        (pa.array([[True] * 1000], pa.list_(pa.bool_(), 1000)), 8_000),
        (pa.array([[("k", True)] * 1000], pa.map_(pa.string(), pa.bool_())), 16_000),
        (pa.array([[{"a_long_name": 1}] * 1000]), 19_000),
        (pa.array(["x" * 500] * 1000).dictionary_encode(), 500_000),
        (pa.array([{"a": ["x" * 500] * 1000}]), 500_000),
        (pa.array([["x" * 500] * 10] * 100).slice(99), 5_000),
        (pa.nulls(1000), 8_000),
        (pa.array([True] * 1000), 8_000),
        (pa.array([{}] * 1000, pa.struct([])), 8_000),
        (REPEATED, 5_000_000),
        (pa.ExtensionArray.from_storage(pa.json_(pa.string_view()), REPEATED), 5_000_000),
        (pa.DictionaryArray.from_arrays(SAME, pa.array([[True] * 50_000, [True]])), 400_000_000),
        (pa.DictionaryArray.from_arrays(SAME, pa.array(["x" * 5_000, ""], pa.string_view())), 5_000_000),
        (pa.RunEndEncodedArray.from_arrays(pa.array([1000], pa.int32()), pa.array(["x" * 5_000])), 5_000_000),
        (
            pa.ListViewArray.from_arrays(SAME, pa.array([1_000] * 1_000, pa.int32()), pa.array([True] * 1_000)),
            8_000_000,
        ),
    ],
)
def test_bytes_are_counted_as_they_are_written_out(column: pa.Array, least: int) -> None:
    size = size_of(pa.RecordBatch.from_arrays([column], names=["c"]))
    assert least <= size < 2 * least + SMALL


def test_the_first_rows_that_fit() -> None:
    batch = pa.RecordBatch.from_arrays([pa.array(["x" * (1 << 20)] * 8)], names=["c"])
    assert first_rows(batch, 9 << 20).num_rows == 8
    assert first_rows(batch, (3 << 20) + 100).num_rows == 3
    assert first_rows(batch, 1 << 19).num_rows == 0
