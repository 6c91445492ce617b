"""One table of odd rows in both engines, and in memory for the oracle."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid5

import pytest

from loaders.description import Column, ColumnType, Kind, Table
from tests.loaders.columnar.naive import Row
from tests.loaders.columnar.sources import ChDb, DuckDb, Engine, the_chdb

TEXTS = ["", "a", "A", "ab", "a%b", "a_b", "a\\b", "b", "é", "日本", "tab\tnew\nline", 'quo"te', "it's", None]
COLUMNS = (
    Column("id", ColumnType(Kind.UUID), nullable=False),
    Column("c0", ColumnType(Kind.INTEGER)),  # the name of an output column, too
    Column("big", ColumnType(Kind.BIGINT)),
    Column("ratio", ColumnType(Kind.FLOAT)),
    Column("price", ColumnType(Kind.NUMERIC)),
    Column("name", ColumnType(Kind.TEXT)),
    Column("flag", ColumnType(Kind.BOOLEAN)),
    Column("day", ColumnType(Kind.DATE)),
    Column("at", ColumnType(Kind.TIMESTAMP), nullable=False),
    Column("cell", ColumnType(Kind.H3), nullable=False),
    Column("tags", ColumnType(Kind.ARRAY, element=ColumnType(Kind.TEXT)), nullable=False),
)
TABLE = Table("datasource:test", "odd ones", "the rows", COLUMNS, ("id",))
START = datetime(2024, 1, 1, tzinfo=UTC)
_NAMESPACE = UUID("5a9c6f0e-3f0d-4c1a-9c57-1f0a52f1f5b1")


def _uuid7(number: int) -> UUID:
    random = uuid5(_NAMESPACE, str(number)).int
    return UUID(
        int=(1_704_067_200_000 + number) << 80 | 7 << 76 | (random >> 64 & 0xFFF) << 64 | 2 << 62 | random % 2**62
    )


def _row(number: int) -> Row:
    return {
        "id": _uuid7(number) if number % 2 else uuid5(_NAMESPACE, f"v{number}"),
        "c0": None if number % 5 == 0 else number % 4 - 1,
        "big": None if number % 7 == 0 else (number % 3 - 1) * 2**62,
        "ratio": [None, float("nan"), float("inf"), -float("inf"), -0.0, 0.0, 0.1, 1e300][number % 8],
        "price": None if number % 6 == 0 else (Decimal(number % 5 - 2) / 4).quantize(Decimal("0.0001")),
        "name": TEXTS[number % len(TEXTS)],
        "flag": [True, False, None][number % 3],
        "day": None if number % 4 == 0 else date(2024, 2, 28) + timedelta(days=number % 3),
        "at": START + timedelta(microseconds=[0, 1, 500_000, 86_400_000_000][number % 4]),
        "cell": 0x8928308280FFFFF + number % 3,
        "tags": [["a"], [], ["a", "b"], ["it's"]][number % 4],
    }


ROWS = [_row(number) for number in range(48)]
_CLICKHOUSE = {
    "id": "UUID",
    "c0": "Nullable(Int32)",
    "big": "Nullable(Int64)",
    "ratio": "Nullable(Float64)",
    "price": "Nullable(Decimal(18, 4))",
    "name": "Nullable(String)",
    "flag": "Nullable(Bool)",
    "day": "Nullable(Date)",
    "at": "DateTime64(6, 'UTC')",
    "cell": "UInt64",
    "tags": "Array(String)",
}
_DUCKDB = {
    "id": "UUID",
    "c0": "INTEGER",
    "big": "BIGINT",
    "ratio": "DOUBLE",
    "price": "DECIMAL(18, 4)",
    "name": "VARCHAR",
    "flag": "BOOLEAN",
    "day": "DATE",
    "at": "TIMESTAMPTZ",
    "cell": "UBIGINT",
    "tags": "VARCHAR[]",
}


@pytest.fixture(scope="session")
def chdb() -> ChDb:
    engine = the_chdb()
    engine.execute('CREATE DATABASE "odd ones"')
    columns = ", ".join(f'"{name}" {kind}' for name, kind in _CLICKHOUSE.items())
    engine.execute(f'CREATE TABLE "odd ones"."the rows" ({columns}) ENGINE = MergeTree ORDER BY id')
    numbered = iter(range(len(ROWS) * len(_CLICKHOUSE)))
    values = ", ".join(
        "(" + ", ".join(f"{{p{next(numbered)}:{kind}}}" for kind in _CLICKHOUSE.values()) + ")" for _ in ROWS
    )
    engine.execute(f'INSERT INTO "odd ones"."the rows" VALUES {values}', [_spelled(row) for row in ROWS])
    return engine


@pytest.fixture(scope="session")
def duck() -> Iterator[DuckDb]:
    engine = DuckDb()
    engine.execute('CREATE SCHEMA "odd ones"')
    columns = ", ".join(f'"{name}" {kind}' for name, kind in _DUCKDB.items())
    engine.execute(f'CREATE TABLE "odd ones"."the rows" ({columns})')
    places = ", ".join(f"${position + 1}" for position in range(len(_DUCKDB)))
    engine.execute(f'INSERT INTO "odd ones"."the rows" VALUES ({places})', [tuple(row.values()) for row in ROWS])
    yield engine
    engine.connection.close()


@pytest.fixture(params=["chdb", "duck"])
def engine(request: pytest.FixtureRequest) -> Engine:
    source: Engine = request.getfixturevalue(request.param)
    return source


def _spelled(row: Row) -> tuple[object, ...]:
    """Values as ClickHouse parses them; its client would cut the microseconds."""
    return tuple(v.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(v, datetime) else v for v in row.values())
