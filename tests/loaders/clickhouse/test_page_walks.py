"""Walking pages ordered by columns of each type that ClickHouse sorts: every row occurs once, in both directions."""

from collections.abc import Iterator

import orjson
import pytest

from loaders.columnar.connection import read_connection
from loaders.description import Column, ColumnType, Kind, Table
from loaders.encode.cursor import decode_cursor
from loaders.ledger import Ledger
from loaders.order import cursor_form
from loaders.read import Col, Computed, Connection, Field, Nodes, OrderBy, Page, PageInfo, PageInfoPart, Read
from loaders.warehouses.clickhouse_types import column_type
from tests.loaders.columnar.sources import ChDb, the_chdb

VALUES: dict[str, tuple[str, ...]] = {
    "Float32": ("0.1", "nan", "inf", "-inf", "-0.0", "0", "1e-45", "16777217"),
    "Nullable(Float64)": ("0.1", "nan", "inf", "NULL", "-0.0", "5e-324"),
    "BFloat16": ("0.1", "nan", "inf", "-inf", "-0.0", "0", "3e38"),
    "Nullable(BFloat16)": ("0.1", "nan", "NULL", "-inf", "3"),
    "UInt64": ("0", "18446744073709551615", "9007199254740993", "9007199254740992"),
    "UInt128": ("9", "10", "340282366920938463463374607431768211455"),
    "Int256": (str(2**255 - 1), "0", str(-(2**255))),
    "Decimal(76, 30)": ("1.000000000000000000000000000001", "-0.1"),
    "DateTime('Europe/Berlin')": ("'2024-10-27 01:30:00'", "fromUnixTimestamp(1729989000)", "'2024-10-27 03:30:00'"),
    "DateTime64(9)": (
        "'2024-01-01 00:00:00.000000001'",
        "'2024-01-01 00:00:00.000001'",
        "'2262-04-11 23:47:16.854775807'",
    ),
    "Nullable(DateTime64(3))": ("'1900-01-01 00:00:00'", "NULL", "'2024-01-01 00:00:00.001'"),
    "Date32": ("'1900-01-01'", "'2299-12-31'", "'1969-12-31'"),
    "Enum8('z' = 1, 'a' = 2, 'm' = -3)": ("'z'", "'a'", "'m'"),
    "LowCardinality(Nullable(String))": ("''", "'a'", "'é'", "NULL"),
    "FixedString(4)": ("'a'", "'ab'", "'abcd'", "''"),
    "String": ("''", "'a'", "'a\\0'", "'\\xff\\xfe'", "'\\xc3'", "'日本'"),
    "UUID": ("'00000000-0000-0000-ffff-000000000000'", "'ffffffff-0000-0000-0000-000000000000'"),
    "Nullable(IPv4)": ("'9.0.0.0'", "'10.0.0.0'", "NULL"),
    "IPv6": ("'::1'", "'ff::'", "'9::'"),
    "Nullable(Bool)": ("true", "NULL", "false"),
    "IntervalDay": ("INTERVAL 9 DAY", "INTERVAL 10 DAY", "INTERVAL -1 DAY"),
    "Nullable(IntervalMonth)": ("INTERVAL 9 MONTH", "NULL", "INTERVAL 10 MONTH"),
    "Time64(6)": ("'10:00:00.5'", "'09:00:00'", "'-01:00:00'"),
    "Variant(String, UInt8)": ("'a'", "9", "10", "NULL"),
    "Dynamic": ("'a'", "9", "10", "NULL"),
    "Array(IPv4)": ("['9.0.0.0']", "['10.0.0.0', '9.0.0.0']", "[]"),
    "Tuple(a Int8, b DateTime)": ("(9, '2024-01-01 00:00:00')", "(10, '2024-01-01 00:00:00')"),
}
INFO = PageInfo(tuple((part.value, part) for part in PageInfoPart))
SHOWN = Connection((("nodes", Nodes((Field("id", Computed(Col("id"))),))), ("pageInfo", INFO)))
ORDERS = [(OrderBy(Col("v"), descending, first),) for descending in (False, True) for first in (None, True, False)]


@pytest.fixture(scope="module")
def engine() -> Iterator[ChDb]:
    engine = the_chdb()
    engine.execute("CREATE DATABASE walked")
    yield engine
    engine.execute("DROP DATABASE walked")


@pytest.mark.parametrize("type_", VALUES)
async def test_every_row_once(engine: ChDb, type_: str) -> None:
    """Each value is in three rows, so that pages end between rows that tie."""
    values = VALUES[type_] * 3
    engine.execute(f"CREATE OR REPLACE TABLE walked.rows (id Int32, v {type_}) ENGINE = MergeTree ORDER BY id")
    rows = ", ".join(f"({number}, {value})" for number, value in enumerate(values))
    engine.execute(f"INSERT INTO walked.rows VALUES {rows}")
    described = column_type(type_)
    assert described is not None
    key = Column("id", ColumnType(Kind.INTEGER), nullable=False)
    table = Table("datasource:test", "walked", "rows", (key, Column("v", *described)), ("id",))
    for order in ORDERS:
        whole = await _walked(engine, table, order, size=None, backward=False)
        assert sorted(whole) == list(range(len(values))), order
        for backward in (False, True):
            assert await _walked(engine, table, order, size=2, backward=backward) == whole, (order, backward)


async def _walked(
    engine: ChDb, table: Table, order: tuple[OrderBy, ...], *, size: int | None, backward: bool
) -> list[int]:
    seen: list[int] = []
    page = Page(size, backward)
    while True:
        read = Read(table, connection=SHOWN, order=order, page=page)
        answer = orjson.loads(await read_connection(read, engine, Ledger()))
        found = [node["id"] for node in answer["nodes"]]
        seen = found + seen if backward else seen + found
        info = answer["pageInfo"]
        if not info["hasPreviousPage" if backward else "hasNextPage"]:
            return seen
        bound = decode_cursor(info["startCursor" if backward else "endCursor"], cursor_form(order, table))
        page = Page(size, backward, before=bound) if backward else Page(size, backward, after=bound)
