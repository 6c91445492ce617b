"""What is specific to ClickHouse: its parameters, indexes and types. The engine is chDB, in process."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import orjson
import pytest

from loaders.clickhouse.compile import CLICKHOUSE
from loaders.columnar.compile import Keys, compile_read
from loaders.columnar.connection import read_connection
from loaders.description import Column, ColumnType, Kind, Table
from loaders.encode.cursor import decode_cursor
from loaders.ledger import Ledger
from loaders.order import cursor_form
from loaders.read import (
    Aggregate,
    AggregateFunction,
    Among,
    Col,
    Compare,
    Computed,
    Connection,
    CosineSimilarity,
    Expression,
    Field,
    JsonPath,
    Measure,
    Nodes,
    Op,
    Or,
    OrderBy,
    Page,
    PageInfo,
    PageInfoPart,
    Predicate,
    Read,
    Value,
)
from tests.loaders.columnar.sources import ChDb, the_chdb

FRAMES = Table(
    "clickhouse",
    "indexed",
    "frames",
    (
        Column("track_id", ColumnType(Kind.UUID), nullable=False),
        Column("captured_at", ColumnType(Kind.TIMESTAMP), nullable=False),
        Column("id", ColumnType(Kind.UUID), nullable=False),
        Column("cell", ColumnType(Kind.H3), nullable=False),
        Column("classes", ColumnType(Kind.ARRAY, element=ColumnType(Kind.TEXT)), nullable=False),
    ),
    ("track_id", "captured_at", "id"),
)
ODD = Table(
    "clickhouse",
    "indexed",
    "odd",
    (
        Column("id", ColumnType(Kind.INTEGER), nullable=False),
        Column("raw", ColumnType(Kind.TEXT), nullable=False),
        Column("fixed", ColumnType(Kind.TEXT), nullable=False),
        Column("kind", ColumnType(Kind.TEXT), nullable=False),
        Column("low", ColumnType(Kind.TEXT)),
        Column("seconds", ColumnType(Kind.TIMESTAMP)),
        Column("nanos", ColumnType(Kind.TIMESTAMP), nullable=False),
        Column("wide", ColumnType(Kind.NUMERIC), nullable=False),
        Column("real", ColumnType(Kind.FLOAT), nullable=False),
        Column("route", ColumnType(Kind.GEOMETRY, geometry="LINESTRING"), nullable=False),
        Column("doc", ColumnType(Kind.JSON), nullable=False),
        Column("vector", ColumnType(Kind.VECTOR, dimensions=2), nullable=False),
    ),
    ("id",),
)


@pytest.fixture(scope="session")
def engine() -> ChDb:
    chdb = the_chdb()
    chdb.execute("CREATE DATABASE indexed")
    chdb.execute(
        """CREATE TABLE indexed.frames (track_id UUID, captured_at DateTime64(3, 'UTC'), id UUID, cell UInt64,
        classes Array(String), INDEX cells cell TYPE bloom_filter GRANULARITY 1,
        INDEX classes classes TYPE bloom_filter GRANULARITY 1)
        ENGINE = MergeTree ORDER BY (track_id, captured_at, id) SETTINGS index_granularity = 64"""
    )
    chdb.execute(
        """INSERT INTO indexed.frames SELECT reinterpretAsUUID(sipHash128(intDiv(number, 100))),
        toDateTime64('2024-01-01', 3, 'UTC') + number, generateUUIDv7(), number, ['all', toString(number)]
        FROM numbers(20000)"""
    )
    chdb.execute(
        """CREATE TABLE indexed.odd (id Int32, raw String, fixed FixedString(4), kind Enum8('x' = 1, 'y' = 2),
        low LowCardinality(Nullable(String)), seconds Nullable(DateTime('Asia/Tokyo')), nanos DateTime64(9, 'UTC'),
        wide UInt256, real Float32, route LineString, doc String, vector Array(Float32))
        ENGINE = MergeTree ORDER BY id"""
    )
    chdb.execute(
        """INSERT INTO indexed.odd SELECT number, unhex(hex(240 + number % 15)), 'ab', 1 + number % 2,
        number % 3 = 0 ? NULL : 'l', number % 4 = 0 ? NULL : toDateTime('2024-01-01 09:00:00', 'Asia/Tokyo'),
        fromUnixTimestamp64Nano(1704067200000000000 + intDiv(number, 2)), toUInt256('1' || repeat('0', 40)),
        0.1 + number % 3, [(13.4, 52.5)],
        '{"a": {"b": ' || (number % 2 ? '"x"' : '7') || ', "n": null}}', [1, number]
        FROM numbers(30)"""
    )
    return chdb


def _granules(
    engine: ChDb, where: Predicate | None = None, *, keys: Keys | None = None, after: tuple[Value, ...] | None = None
) -> int:
    """How many of the 313 granules are read, after the primary key and the skip indexes."""
    page = Page(10, after=after)
    compiled = compile_read(Read(FRAMES, connection=_nodes("id"), where=where, page=page), CLICKHOUSE, keys=keys)
    assert compiled.rows is not None
    named = compiled.rows.statement.named
    lines = engine.explain(f"EXPLAIN indexes = 1 {compiled.rows.statement.sql}", named)
    granules = [line.split(":")[1] for line in lines if "Granules:" in line and "/" in line]
    return int(granules[-1].split("/")[0])


def _nodes(*names: str) -> Connection:
    fields = tuple(Field(name, Computed(Col(name))) for name in names)
    info = PageInfo((("endCursor", PageInfoPart.END_CURSOR), ("hasNextPage", PageInfoPart.HAS_NEXT_PAGE)))
    return Connection((("nodes", Nodes(fields)), ("pageInfo", info)))


def _tracks(engine: ChDb, count: int) -> list[UUID]:
    text = engine.execute(f"SELECT DISTINCT track_id FROM indexed.frames ORDER BY track_id DESC LIMIT {count}")
    return [UUID(line) for line in text.split()]


def test_indexes_still_apply(engine: ChDb) -> None:
    tracks = _tracks(engine, 3)
    assert _granules(engine) == 313
    assert _granules(engine, Compare(Col("track_id"), Op.EQ, tracks[0])) <= 3
    assert _granules(engine, Compare(Col("track_id"), Op.IN, tuple(tracks))) <= 9
    assert _granules(engine, Compare(Col("cell"), Op.IN, (5, 7))) < 60
    assert _granules(engine, Compare(Col("classes"), Op.CONTAINS, ("17",))) < 60
    assert _granules(engine, keys=Keys(("track_id",), ((tracks[0],), (tracks[1],)))) <= 6
    start = datetime(2024, 1, 1, tzinfo=UTC)
    many = tuple((track, start) for track in tracks)
    assert _granules(engine, Among(("track_id", "captured_at"), many)) <= 9
    assert (
        _granules(engine, Or((Among(("track_id", "captured_at"), many), Compare(Col("track_id"), Op.EQ, tracks[0]))))
        <= 9
    )
    assert _granules(engine, keys=Keys(("track_id", "captured_at"), ((tracks[0], start),))) <= 3
    assert _granules(engine, after=(tracks[2], start, tracks[2])) <= 9


@pytest.mark.parametrize(
    ("kind", "value", "spelled", "bound"),
    [
        (Kind.INTEGER, 7, "Int64", 7),
        (Kind.BIGINT, 2**64 - 1, "UInt64", 2**64 - 1),
        (Kind.BIGINT, -(2**70), "Int256", -(2**70)),
        (Kind.NUMERIC, Decimal("1.25"), "Decimal(76, 2)", Decimal("1.25")),
        (Kind.NUMERIC, Decimal(10) ** 37, "Decimal(76, 0)", Decimal(10) ** 37),
        (Kind.TEXT, "'; DROP", "String", "'; DROP"),
        (Kind.TEXT, "a\udcff", "String", b"a\xff"),
        (Kind.TIMESTAMP, datetime(2024, 1, 1, tzinfo=UTC), "DateTime64(6, 'UTC')", "2024-01-01 00:00:00.000000"),
        (Kind.TIMESTAMP, datetime(1, 1, 1, tzinfo=UTC), "DateTime64(6, 'UTC')", "0001-01-01 00:00:00.000000"),
        (Kind.DATE, date(2024, 1, 1), "Date32", "2024-01-01"),
        (Kind.BOOLEAN, True, "Bool", True),
    ],
)
def test_parameters(kind: Kind, value: object, spelled: str, bound: object) -> None:
    table = Table("clickhouse", None, "t", (Column("c", ColumnType(kind)),), ())
    read = Read(table, (Field("c", Computed(Col("c"))),), where=Compare(Col("c"), Op.EQ, value))
    rows = compile_read(read, CLICKHOUSE).rows
    assert rows is not None
    assert rows.statement.sql.endswith(f'WHERE "t"."c" = {{p0: {spelled}}} LIMIT 1')
    assert rows.statement.named == {"p0": bound}


def test_arrays_of_decimals_fit_all_their_values() -> None:
    numbers = ColumnType(Kind.ARRAY, element=ColumnType(Kind.NUMERIC))
    table = Table("clickhouse", None, "t", (Column("c", numbers),), ())
    values = (Decimal("0.0000001"), Decimal(10) ** 37, 3)
    rows = compile_read(Read(table, where=Compare(Col("c"), Op.CONTAINS, values)), CLICKHOUSE).rows
    assert rows is not None
    assert "{p0: Array(Decimal(76, 7))}" in rows.statement.sql


def test_one_of_many_numbers_is_looked_up_in_a_set() -> None:
    """By its digits. A row compared with each value takes 17 s for 1,000 decimals and 500,000 rows, and a set 0.1 s."""
    table = Table("clickhouse", None, "t", (Column("c", ColumnType(Kind.NUMERIC)),), ())
    values = (Decimal("0.0000001"), Decimal(10) ** 37, 3, Decimal("1.50"), Decimal("1.5"), Decimal("-0.0"), 100)
    rows = compile_read(Read(table, where=Compare(Col("c"), Op.IN, values)), CLICKHOUSE).rows
    assert rows is not None
    assert 'WHERE toString("t"."c") IN {p0: Array(String)}' in rows.statement.sql
    assert rows.statement.named == {"p0": ["0.0000001", "1" + "0" * 37, "3", "1.5", "0", "100"]}


async def test_numbers_of_any_scale_are_found(engine: ChDb) -> None:
    engine.execute(
        """CREATE TABLE indexed.scales (id Int32, small Nullable(Decimal(9, 4)), large Decimal(76, 30), wide Int256)
        ENGINE = MergeTree ORDER BY id"""
    )
    engine.execute("INSERT INTO indexed.scales VALUES (1, 1.5, 1.5, -7), (2, 100, 100, 100), (3, NULL, 0, 0)")
    names = ("small", "large", "wide")
    columns = (Column("id", ColumnType(Kind.INTEGER)), *(Column(name, ColumnType(Kind.NUMERIC)) for name in names))
    table = Table("clickhouse", "indexed", "scales", columns, ("id",))
    cases: list[tuple[str, Op, tuple[Value, ...], list[int]]] = [
        ("small", Op.IN, (Decimal("1.50"), Decimal("1.50001"), 100, 10**37), [1, 2]),
        ("small", Op.NOT_IN, (Decimal("1.50001"), 100), [1]),
        ("large", Op.IN, (Decimal("1.5"), Decimal("0.00")), [1, 3]),
        ("wide", Op.IN, (-7, Decimal("100.0"), Decimal("0.5")), [1, 2]),
    ]
    for name, op, values, found in cases:
        read = Read(table, connection=_nodes("id"), where=Compare(Col(name), op, values))
        answer = orjson.loads(await read_connection(read, engine, Ledger()))
        assert [node["id"] for node in answer["nodes"]] == found, (name, op)


def test_names_are_quoted() -> None:
    evil = 'a" FROM system.users -- `\\'
    table = Table("clickhouse", "d`b", evil, (Column(evil, ColumnType(Kind.INTEGER)),), ())
    rows = compile_read(Read(table, (Field("x", Computed(Col(evil))),)), CLICKHOUSE).rows
    assert rows is not None
    quoted = '"a"" FROM system.users -- `\\\\"'
    assert rows.statement.sql == f'SELECT "t".{quoted} AS "c0" FROM "d`b".{quoted} AS t LIMIT 1'


async def test_types_arrow_does_not_have(engine: ChDb) -> None:
    names = [column.name for column in ODD.columns]
    read = Read(ODD, connection=_nodes(*names), page=Page(2))
    first, second = orjson.loads(await read_connection(read, engine, Ledger()))["nodes"]
    assert first == {
        "id": 0,
        "raw": "\ufffd",
        "fixed": "ab",
        "kind": "x",
        "low": None,
        "seconds": None,
        "nanos": "2024-01-01T00:00:00+00:00",
        "wide": "1" + "0" * 40,
        "real": 0.1,
        "route": {"type": "LineString", "coordinates": [[13.4, 52.5]]},
        "doc": {"a": {"b": 7, "n": None}},
        "vector": [1.0, 0.0],
    }
    assert (second["kind"], second["low"], second["seconds"]) == ("y", "l", "2024-01-01T00:00:00+00:00")


@pytest.mark.parametrize("name", ["raw", "fixed", "kind", "low", "seconds", "nanos", "real", "wide"])
@pytest.mark.parametrize("descending", [False, True])
async def test_page_walks_over_odd_types(engine: ChDb, name: str, descending: bool) -> None:
    """Bytes that are not UTF-8, nanoseconds, 32-bit floats: a cursor carries them exactly."""
    read = Read(ODD, connection=_nodes("id"), order=(OrderBy(Col(name), descending),), page=Page(4))
    seen: list[int] = []
    while True:
        answer = orjson.loads(await read_connection(read, engine, Ledger()))
        seen += [node["id"] for node in answer["nodes"]]
        if not answer["pageInfo"]["hasNextPage"]:
            break
        after = decode_cursor(answer["pageInfo"]["endCursor"], cursor_form(read.order, read.table))
        read = replace(read, page=Page(4, after=after))
    everything = await read_connection(replace(read, page=Page()), engine, Ledger())
    assert seen == [node["id"] for node in orjson.loads(everything)["nodes"]]
    assert sorted(seen) == list(range(30))


async def test_a_page_walk_and_ranges_of_uuids_are_of_one_order(engine: ChDb) -> None:
    """By the second half first, as ClickHouse has it."""
    table = Table("clickhouse", "indexed", "ids", (Column("id", ColumnType(Kind.UUID), nullable=False),), ("id",))
    engine.execute("CREATE TABLE indexed.ids (id UUID) ENGINE = MergeTree ORDER BY id")
    engine.execute("INSERT INTO indexed.ids SELECT reinterpretAsUUID(sipHash128(number)) FROM numbers(60)")
    read = Read(table, connection=_nodes("id"), page=Page(7))
    walked: list[UUID] = []
    while True:
        answer = orjson.loads(await read_connection(read, engine, Ledger()))
        walked += [UUID(node["id"]) for node in answer["nodes"]]
        if not answer["pageInfo"]["hasNextPage"]:
            break
        after = decode_cursor(answer["pageInfo"]["endCursor"], cursor_form(read.order, read.table))
        read = replace(read, page=Page(7, after=after))
    assert walked == sorted(walked, key=lambda id_: (id_.int & (2**64 - 1), id_.int >> 64))
    assert walked != sorted(walked)
    for op, expected in ((Op.LT, 25), (Op.LTE, 26), (Op.GT, 34), (Op.GTE, 35)):
        ranged = Read(table, connection=_nodes("id"), where=Compare(Col("id"), op, walked[25]))
        ids = [UUID(node["id"]) for node in orjson.loads(await read_connection(ranged, engine, Ledger()))["nodes"]]
        assert ids == (walked[:expected] if op in (Op.LT, Op.LTE) else walked[-expected:]), op


async def test_an_average_of_large_integers_is_of_their_exact_sum(engine: ChDb) -> None:
    """As floats, 2^63 - 1 and -2^63 cancel out."""
    number = Column("number", ColumnType(Kind.BIGINT))
    table = Table("clickhouse", "indexed", "large", (number,), ("number",))
    engine.execute("CREATE TABLE indexed.large (number Nullable(Int64)) ENGINE = Memory")
    engine.execute("INSERT INTO indexed.large VALUES (9223372036854775807), (-9223372036854775808), (NULL)")
    average = Aggregate((), (("avg", Measure(AggregateFunction.AVG, Col("number"))),))
    read = Read(table, connection=Connection((("all", average),)))
    assert orjson.loads(await read_connection(read, engine, Ledger())) == {"all": [{"avg": -0.5}]}


async def test_json_paths_and_vectors(engine: ChDb) -> None:
    expressions: dict[str, Expression] = {
        "b": JsonPath("doc", ("a", "b")),
        "n": JsonPath("doc", ("a", "n")),
        "none": JsonPath("doc", ("a'", '"')),
        "near": CosineSimilarity("vector", (1.0, 0.0)),
    }
    fields = tuple(Field(key, Computed(expression)) for key, expression in expressions.items())
    where = Compare(JsonPath("doc", ("a", "b")), Op.EQ, "7")
    order = (OrderBy(CosineSimilarity("vector", (1.0, 0.0)), descending=True),)
    read = Read(ODD, connection=Connection((("nodes", Nodes(fields)),)), where=where, order=order, page=Page(1))
    answer = orjson.loads(await read_connection(read, engine, Ledger()))
    assert answer["nodes"] == [{"b": "7", "n": None, "none": None, "near": 1.0}]


async def test_decimals_of_many_digits_do_not_overflow(engine: ChDb) -> None:
    """With 38 digits for the parameter, ClickHouse says 99999999999999.5 < 1.5000... (chDB 4.4)."""
    engine.execute("CREATE TABLE indexed.money (id Int32, price Decimal(18, 4)) ENGINE = MergeTree ORDER BY id")
    engine.execute("INSERT INTO indexed.money VALUES (1, 99999999999999.5)")
    columns = (Column("id", ColumnType(Kind.INTEGER), nullable=False), Column("price", ColumnType(Kind.NUMERIC)))
    table = Table("clickhouse", "indexed", "money", columns, ("id",))
    where = Compare(Col("price"), Op.GT, Decimal("1.500000000000000000000000000001"))
    read = Read(table, (Field("id", Computed(Col("id"))),), where=where)
    assert await read_connection(read, engine, Ledger()) == b'{"id":1}'
