"""Tables of odd rows, in memory for the oracle and as text for Postgres. Rows of `ROWS` nest in themselves."""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

import orjson

from loaders.description import Column, ColumnType, Kind, Table
from loaders.read import Join
from tests.loaders.columnar.naive import Row


@dataclass(frozen=True, order=True, slots=True)
class Spelled:
    """A value Python has none for: its place in the order, and Postgres' text of it in JSON."""

    rank: int
    text: str = field(compare=False)


def _array(element: Kind) -> ColumnType:
    return ColumnType(Kind.ARRAY, element=ColumnType(element))


ROWS = Table(
    "scratch",
    "odd ones",
    "the rows",
    (
        Column("id", ColumnType(Kind.UUID), nullable=False),
        Column("n", ColumnType(Kind.INTEGER)),
        Column("big", ColumnType(Kind.BIGINT)),
        Column("ratio", ColumnType(Kind.FLOAT)),
        Column("price", ColumnType(Kind.NUMERIC)),
        Column("name", ColumnType(Kind.TEXT)),
        Column("flag", ColumnType(Kind.BOOLEAN)),
        Column("day", ColumnType(Kind.DATE)),
        Column("at", ColumnType(Kind.TIMESTAMP), nullable=False),
        Column("seen", ColumnType(Kind.TIMESTAMP)),
        Column("other", ColumnType(Kind.UUID)),
        Column("parent_id", ColumnType(Kind.UUID)),
        Column("doc", ColumnType(Kind.JSON)),
        Column("tags", _array(Kind.TEXT)),
        Column("bigs", ColumnType(Kind.ARRAY, element=_array(Kind.BIGINT))),
        Column("floats", _array(Kind.FLOAT)),
        Column("ids", _array(Kind.UUID)),
        Column("days", _array(Kind.DATE)),
        Column("moments", _array(Kind.TIMESTAMP)),
        Column("flags", _array(Kind.BOOLEAN)),
        Column("raw", ColumnType(Kind.BYTES)),
        Column("point", ColumnType(Kind.GEOMETRY, geometry="POINTZ")),
        Column("line", ColumnType(Kind.GEOMETRY, geometry="LINESTRING")),
        Column("area", ColumnType(Kind.GEOMETRY, geometry="POLYGON")),
        Column("embedding", ColumnType(Kind.VECTOR, dimensions=3)),
    ),
    ("id",),
)
KIDS = Table(
    "scratch",
    "odd ones",
    "kids",
    (
        Column("id", ColumnType(Kind.BIGINT), nullable=False),
        Column("row_id", ColumnType(Kind.UUID)),
        Column("rank", ColumnType(Kind.INTEGER), nullable=False),
        Column("mood", ColumnType(Kind.FLOAT)),
    ),
    ("id",),
)
TOYS = Table(
    "scratch",
    "odd ones",
    "toys",
    (
        Column("kid_id", ColumnType(Kind.BIGINT), nullable=False),
        Column("name", ColumnType(Kind.TEXT), nullable=False),
        Column("owner_id", ColumnType(Kind.UUID)),
    ),
    ("kid_id", "name"),
)
SQL_TYPES = {
    Kind.BOOLEAN: "boolean",
    Kind.INTEGER: "integer",
    Kind.BIGINT: "bigint",
    Kind.FLOAT: "float8",
    Kind.NUMERIC: "numeric",
    Kind.TEXT: "text",
    Kind.UUID: "uuid",
    Kind.DATE: "date",
    Kind.TIMESTAMP: "timestamptz",
    Kind.JSON: "jsonb",
    Kind.BYTES: "bytea",
}
ROW_KIDS = Join(KIDS, ("id",), ("row_id",))
KIDS_OF_N = Join(replace(KIDS, key=("rank",), apart=("id",)), ("n",), ("rank",))
"""To a key that several rows have, as those of partitioned tables may."""
ROW_CHILDREN = Join(ROWS, ("id",), ("parent_id",))
ROW_PARENT = Join(ROWS, ("parent_id",), ("id",))
KID_ROW = Join(ROWS, ("row_id",), ("id",))
KID_TOYS = Join(TOYS, ("id",), ("kid_id",))
TOY_KID = Join(KIDS, ("kid_id",), ("id",))
TOY_OWNER = Join(ROWS, ("owner_id",), ("id",))

NAN = Decimal("NaN")  # one object, so that it is itself in sets
START = datetime(2024, 1, 1, tzinfo=UTC)
TEXTS = [
    "",
    "a",
    "A",
    "ab",
    "a%b",
    "a_b",
    "a\\b",
    "b",
    "é",
    "日本 😀",
    "tab\tnew\nline\x01\x7f",
    'quo"te',
    "it's",
    None,
]
SEEN: list[Spelled | None] = [
    Spelled(-2, "-infinity"),
    Spelled(-1, "0044-03-15T12:00:00.25+00:00 BC"),
    None,
    Spelled(2, "infinity"),
    Spelled(1, "10000-01-01T00:00:00+00:00"),
]
DOCS: list[Any] = [
    None,
    {},
    [],
    "text",
    {"a": [1, {"b": None}], "😀": 'quo"te\n', "n": 12345678901234567890123, "x": 0.1},
    {"name": "日本", "n": 1.5, "deep": {"er": True}},
    7,
    False,
]
_NAMESPACE = UUID("5a9c6f0e-3f0d-4c1a-9c57-1f0a52f1f5b1")


def row_id(number: int) -> UUID:
    return uuid5(_NAMESPACE, f"row {number}")


def _row(number: int) -> Row:
    lon, lat = 6.1 + number / 1000, 46.2 - number / 700
    return {
        "id": row_id(number),
        "n": None if number % 5 == 0 else number % 4 - 1,
        "big": None if number % 7 == 0 else (number % 3 - 1) * 2**62,
        "ratio": [None, float("nan"), float("inf"), -float("inf"), -0.0, 0.0, 0.1, 1e300][number % 8],
        "price": [None, NAN, Decimal(10) ** 100 + 1, Decimal("0.25"), Decimal("-0.5000"), Decimal("1E-30")][number % 6],
        "name": TEXTS[number % len(TEXTS)],
        "flag": [True, False, None][number % 3],
        "day": None if number % 4 == 0 else date(2024, 2, 28) + timedelta(days=number % 3),
        "at": START + timedelta(microseconds=[0, 1, 500_000, 86_400_000_000][number % 4]),
        "seen": SEEN[number % len(SEEN)],
        "other": None if number % 2 else uuid5(_NAMESPACE, f"other {number % 5}"),
        "parent_id": None if number < 4 else row_id(number // 4),
        "doc": DOCS[number % len(DOCS)],
        "tags": [["a"], [], ["a", "b"], ["it's", 'quo"te,{}', "日本", "NULL", ""], None][number % 5],
        "bigs": [[[1, 2**62], [-(2**62), 4]], [], None][number % 3],
        "floats": [[0.1, float("nan"), float("inf"), None], [], None][number % 3],
        "ids": [[row_id(1)], [], None][number % 3],
        "days": [[date(2024, 2, 29)], None][number % 2],
        "moments": [[START, None], []][number % 2],
        "flags": [[True, False, None], None][number % 2],
        "raw": [b"", bytes(range(256)), b"\xff" * 100, None][number % 4],
        "point": None if number % 6 == 0 else {"type": "Point", "coordinates": [lon, lat, number / 3]},
        "line": None if number % 3 else {"type": "LineString", "coordinates": [[lon, lat], [lon + 1, lat]]},
        "area": None
        if number % 4
        else {
            "type": "Polygon",
            "coordinates": [[[lon, lat], [lon + 0.01, lat], [lon + 0.01, lat + 0.01], [lon, lat]]],
        },
        "embedding": [[1.0, 0.0, 0.0], [0.5, 0.5, 0.25], None, [-1.0, 2.0, 3.0]][number % 4],
    }


DATA: dict[str, list[Row]] = {
    "the rows": [_row(number) for number in range(56)],
    "kids": [
        {
            "id": number if number % 3 else 2**60 + number,
            "row_id": None if number % 11 == 0 else row_id(number % 13),
            "rank": number % 4,
            "mood": [None, 0.5, float("nan"), -1.5][number % 4],
        }
        for number in range(60)
    ],
}
DATA["toys"] = [
    {"kid_id": kid["id"], "name": TEXTS[(i + j * 5) % 13], "owner_id": row_id(i % 20) if j else None}
    for i, kid in enumerate(DATA["kids"])
    for j in range(i % 4)
]
TABLES = (ROWS, KIDS, TOYS)


def sql_type(type_: ColumnType) -> str:
    match type_.kind:
        case Kind.ARRAY:
            assert type_.element is not None
            return sql_type(type_.element) + "[]"
        case Kind.GEOMETRY:
            return f"geometry({type_.geometry}, 4326)"
        case Kind.VECTOR:
            return f"vector({type_.dimensions})"
        case kind:
            return SQL_TYPES[kind]


def create(table: Table) -> str:
    columns = ", ".join(f'"{column.name}" {sql_type(column.type)}' for column in table.columns)
    key = ", ".join(f'"{name}"' for name in table.key)
    return f'CREATE TABLE "{table.schema}"."{table.name}" ({columns}, PRIMARY KEY ({key}))'


def insert(table: Table) -> str:
    """Takes every value as text."""
    values = ", ".join(_cast(n, column.type) for n, column in enumerate(table.columns, 1))
    return f'INSERT INTO "{table.schema}"."{table.name}" VALUES ({values})'


def _cast(position: int, type_: ColumnType) -> str:
    if type_.kind is Kind.GEOMETRY:
        return f"ST_SetSRID(ST_GeomFromGeoJSON(${position}::text), 4326)"
    return f"${position}::text::{sql_type(type_)}"


def texts(row: Row, table: Table) -> list[str | None]:
    return [_text(row[column.name], column.type) for column in table.columns]


def _text(value: Any, type_: ColumnType) -> str | None:
    match type_.kind:
        case _ if value is None:
            return None
        case Kind.JSON | Kind.GEOMETRY | Kind.VECTOR:
            return _dumps(value)
        case Kind.BYTES:
            return "\\x" + str(value.hex())
        case Kind.ARRAY:
            assert type_.element is not None
            items = [_text(item, type_.element) for item in value]
            quoted = [
                "NULL" if i is None else i if type_.element.kind is Kind.ARRAY else orjson.dumps(i).decode()
                for i in items
            ]
            return "{" + ",".join(quoted) + "}"
        case _ if isinstance(value, Spelled):
            return value.text
        case _ if isinstance(value, datetime):
            return value.isoformat()
        case _:
            return str(value)


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


_QUOTED = {Kind.BIGINT, Kind.UUID, Kind.DATE}


def json_of(value: Any, type_: ColumnType) -> Any:
    """The value as the API shows it: the naive encoder."""
    encode: dict[Kind, Callable[[Any], Any]] = {
        Kind.FLOAT: lambda number: number if abs(number) < float("inf") else None,
        Kind.NUMERIC: lambda number: format(Decimal(number), "f"),
        Kind.BYTES: lambda data: b64encode(data).decode(),
        Kind.TIMESTAMP: instant,
    }
    if value is None:
        return None
    if type_.element is not None:
        return [json_of(item, type_.element) for item in value]
    if type_.kind in _QUOTED:
        return str(value)
    return encode[type_.kind](value) if type_.kind in encode else value


def instant(value: datetime | Spelled) -> str:
    if isinstance(value, Spelled):
        return value.text
    fraction = f"{value.microsecond:06}".rstrip("0")
    return f"{value:%Y-%m-%dT%H:%M:%S}" + (f".{fraction}" if fraction else "") + "+00:00"


def sort_key(value: object) -> Any:
    """Postgres' order: text by code points (C.UTF-8), NaN the greatest numeric, infinite instants around all others."""
    match value:
        case str():
            return value.encode()
        case Decimal():
            return (value.is_nan(), Decimal(0) if value.is_nan() else value)
        case _:
            return value
