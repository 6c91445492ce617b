from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import orjson
import pyarrow as pa
import pytest

from loaders.description import ColumnType, Enumeration, Kind
from loaders.encode.text import json_text, plain_text
from loaders.errors import BadInput
from loaders.unnamed import UNNAMED

NOON = datetime(2024, 1, 1, 12)
ID = UUID("018cc251-f400-7000-8000-0123456789ab")
POINT = pa.struct([("1", pa.float64()), ("2", pa.float64())])
WGS = {"1": 13.4, "2": 52.5}


def _text(values: list[object], arrow_type: pa.DataType) -> pa.Array:
    """With a null around each value and an offset, as slices of batches have."""
    return pa.array([None, *values, None], arrow_type)[1:]


def _raw(data: bytes, arrow_type: pa.DataType) -> pa.Array:
    return pa.Array.from_buffers(
        arrow_type, 1, [None, pa.py_buffer(pa.array([0, len(data)], pa.int32()).buffers()[1]), pa.py_buffer(data)]
    )


CASES = [
    (Kind.BOOLEAN, pa.bool_(), True, "true"),
    (Kind.BOOLEAN, pa.uint8(), 0, "false"),
    (Kind.INTEGER, pa.int32(), -7, "-7"),
    (Kind.BIGINT, pa.int64(), -(2**63), '"-9223372036854775808"'),
    (Kind.BIGINT, pa.uint64(), 2**64 - 1, '"18446744073709551615"'),
    (Kind.FLOAT, pa.float64(), 0.1, "0.1"),
    (Kind.FLOAT, pa.float32(), 0.1, "0.1"),
    (Kind.FLOAT, pa.float64(), 1e300, "1e+300"),
    (Kind.FLOAT, pa.float64(), float("nan"), "null"),
    (Kind.FLOAT, pa.float64(), float("-inf"), "null"),
    (Kind.NUMERIC, pa.decimal128(18, 4), Decimal("1.25"), '"1.2500"'),
    (Kind.NUMERIC, pa.decimal128(38, 20), Decimal("0"), '"0.00000000000000000000"'),
    (Kind.NUMERIC, pa.decimal256(76, 0), Decimal(10**40), f'"{10**40}"'),
    (Kind.NUMERIC, pa.binary(16), (-5).to_bytes(16, "little", signed=True), '"-5"'),
    (Kind.NUMERIC, pa.float64(), 1e22, '"10000000000000000000000"'),
    (Kind.TEXT, pa.string(), "plain é 日本", '"plain é 日本"'),
    (Kind.TEXT, pa.string(), 'quo"te\\back\nline\x00', '"quo\\"te\\\\back\\nline\\u0000"'),
    (Kind.TEXT, pa.binary(), b"bad \xff", '"bad \ufffd"'),
    (Kind.TEXT, pa.dictionary(pa.int8(), pa.string()), "low", '"low"'),
    (Kind.UUID, pa.binary(16), ID.bytes, f'"{ID}"'),
    (Kind.UUID, pa.string(), str(ID), f'"{ID}"'),
    (Kind.DATE, pa.date32(), date(1969, 7, 20), '"1969-07-20"'),
    (Kind.TIMESTAMP, pa.timestamp("us", "UTC"), NOON, '"2024-01-01T12:00:00+00:00"'),
    (Kind.TIMESTAMP, pa.timestamp("us"), NOON.replace(microsecond=120_000), '"2024-01-01T12:00:00.12+00:00"'),
    (Kind.TIMESTAMP, pa.timestamp("ms", "Asia/Tokyo"), NOON, '"2024-01-01T12:00:00+00:00"'),
    (Kind.TIMESTAMP, pa.timestamp("ns", "UTC"), 1, '"1970-01-01T00:00:00.000000001+00:00"'),
    (Kind.TIMESTAMP, pa.uint32(), 1_704_110_400, '"2024-01-01T12:00:00+00:00"'),
    (Kind.H3, pa.uint64(), 0x8928308280FFFFF, '"8928308280fffff"'),
    (Kind.H3, pa.uint64(), 2**64 - 1, '"ffffffffffffffff"'),
    (Kind.BYTES, pa.binary(), b"\x00\xff", '"AP8="'),
    (Kind.JSON, pa.string(), '{"a": 1}', '{"a": 1}'),
    (Kind.JSON, pa.string(), '{"a": ', '"{\\"a\\": "'),
    (Kind.JSON, pa.struct([("a", pa.int8())]), {"a": 1}, '{"a":1}'),
    (Kind.JSON, pa.struct([("a", pa.binary())]), {"a": b"\x00\xff"}, '{"a":"AP8="}'),
    (Kind.VECTOR, pa.list_(pa.float32()), [0.5, float("nan")], "[0.5,null]"),
]


@pytest.mark.parametrize("arrow_type", [pa.string(), pa.binary(), pa.dictionary(pa.int8(), pa.string())])
def test_json_of_an_enum(arrow_type: pa.DataType) -> None:
    """By its names; a word that has none is marked, and as Arrow a word is itself."""
    tone = ColumnType(Kind.TEXT, enumeration=Enumeration("Tone", (("calm", "CALM"), ("notSoLoud", "NOT_SO_LOUD"))))
    column = _text(["notSoLoud", None, "CALM", "calm", ""], arrow_type)
    assert json_text(column, tone).to_pylist() == ['"NOT_SO_LOUD"', "null", UNNAMED, '"CALM"', UNNAMED, "null"]
    assert plain_text(column, tone).to_pylist() == ["notSoLoud", None, "CALM", "calm", "", None]


@pytest.mark.parametrize(("kind", "arrow_type", "value", "expected"), CASES)
def test_json_of_a_value(kind: Kind, arrow_type: pa.DataType, value: object, expected: str) -> None:
    texts = json_text(_text([value, value], arrow_type), ColumnType(kind)).to_pylist()
    assert texts == [expected, expected, "null"]
    assert len(orjson.loads(f"[{','.join(texts)}]")) == 3


@pytest.mark.parametrize(("kind", "arrow_type", "value", "expected"), CASES)
def test_arrays_of_a_value(kind: Kind, arrow_type: pa.DataType, value: object, expected: str) -> None:
    lists = pa.array([[value], None, [], [None, value]], pa.list_(arrow_type))
    array = ColumnType(Kind.ARRAY, element=ColumnType(kind))
    assert json_text(lists, array).to_pylist() == [f"[{expected}]", "null", "[]", f"[null,{expected}]"]
    assert json_text(lists[2:], array).to_pylist() == ["[]", f"[null,{expected}]"]


@pytest.mark.parametrize(("kind", "arrow_type", "value", "expected"), CASES)
def test_no_rows(kind: Kind, arrow_type: pa.DataType, value: object, expected: str) -> None:
    assert json_text(pa.array([], arrow_type), ColumnType(kind)).to_pylist() == []


def test_a_string_column_may_hold_any_bytes() -> None:
    """ClickHouse sends `String` as Arrow's utf8 without looking."""
    column = _raw(b"caf\xe9 \xed\xa0\x80", pa.string())
    assert orjson.loads(json_text(column, ColumnType(Kind.TEXT))[0].as_py()) == "caf\ufffd \ufffd\ufffd\ufffd"


def test_extension_types_are_looked_through() -> None:
    ids = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([ID.bytes, None], pa.binary(16)))
    assert json_text(ids, ColumnType(Kind.UUID)).to_pylist() == [f'"{ID}"', "null"]


def test_instants_with_and_without_a_fraction_in_one_column() -> None:
    column = pa.array([NOON, NOON.replace(microsecond=500_000), NOON.replace(second=10)], pa.timestamp("ms", "UTC"))
    assert json_text(column, ColumnType(Kind.TIMESTAMP)).to_pylist() == [
        '"2024-01-01T12:00:00+00:00"',
        '"2024-01-01T12:00:00.5+00:00"',
        '"2024-01-01T12:00:10+00:00"',
    ]


@pytest.mark.parametrize(
    ("arrow_type", "value", "declared", "expected"),
    [
        (POINT, WGS, "POINT", {"type": "Point", "coordinates": [13.4, 52.5]}),
        (pa.list_(POINT), [WGS, WGS], None, {"type": "LineString", "coordinates": [[13.4, 52.5]] * 2}),
        (pa.list_(POINT), [], "LINESTRINGZ", {"type": "LineString", "coordinates": []}),
        (pa.list_(pa.list_(POINT)), [[WGS]], "POLYGON", {"type": "Polygon", "coordinates": [[[13.4, 52.5]]]}),
        (
            pa.list_(pa.list_(POINT)),
            [[WGS], []],
            "MULTILINESTRING",
            {"type": "MultiLineString", "coordinates": [[[13.4, 52.5]], []]},
        ),
        (pa.string(), '{"type":"Point","coordinates":[1,2]}', "POINT", {"type": "Point", "coordinates": [1, 2]}),
    ],
)
def test_geometry(arrow_type: pa.DataType, value: object, declared: str | None, expected: object) -> None:
    texts = json_text(pa.array([value, None], arrow_type), ColumnType(Kind.GEOMETRY, geometry=declared)).to_pylist()
    assert [orjson.loads(text) for text in texts] == [expected, None]


@pytest.mark.parametrize("type_", [pa.timestamp(unit, zone) for unit in ("s", "ms", "us") for zone in (None, "UTC")])
def test_moments_beyond_the_calendar_are_refused(type_: pa.TimestampType) -> None:
    days = 11_248_737 * {"s": 1, "ms": 1_000, "us": 1_000_000}[type_.unit] * 86_400
    (told,) = json_text(pa.array([days], type_), ColumnType(Kind.TIMESTAMP)).to_pylist()
    assert told == '"32767-12-31T00:00:00+00:00"'
    for beyond in (2**63 - 1, -(2**63), days * 2):
        with pytest.raises(BadInput, match="beyond the year 32767"):
            json_text(pa.array([0, None, beyond], type_), ColumnType(Kind.TIMESTAMP))


def test_days_beyond_the_calendar_are_refused() -> None:
    assert json_text(pa.array([11_248_737, None], pa.date32()), ColumnType(Kind.DATE)).to_pylist()[1] == "null"
    assert json_text(pa.array([], pa.date32()), ColumnType(Kind.DATE)).to_pylist() == []
    with pytest.raises(BadInput, match="beyond the year 32767"):
        json_text(pa.array([2**31 - 1], pa.date32()), ColumnType(Kind.DATE))


def test_runs_are_shown_as_what_they_repeat() -> None:
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int32()), pa.array(["a", None]))
    assert json_text(runs, ColumnType(Kind.TEXT)).to_pylist() == ['"a"', '"a"', "null"]
