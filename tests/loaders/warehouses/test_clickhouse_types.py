from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.description import ColumnType, Held, Kind
from loaders.warehouses.clickhouse_types import column_type, parse

TEXT = ColumnType(Kind.TEXT)
JSON = ColumnType(Kind.JSON)


def shown(name: str) -> tuple[ColumnType, bool]:
    """However the values are held."""
    described = column_type(name)
    assert described is not None
    return _shown(described[0]), described[1]


def _shown(type_: ColumnType) -> ColumnType:
    element = None if type_.element is None else _shown(type_.element)
    return replace(type_, element=element, held=Held.AS_SHOWN)


def array(kind: Kind) -> ColumnType:
    return ColumnType(Kind.ARRAY, element=ColumnType(kind))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Bool", Kind.BOOLEAN),
        ("Int8", Kind.INTEGER),
        ("UInt16", Kind.INTEGER),
        ("Int32", Kind.INTEGER),
        ("UInt32", Kind.BIGINT),
        ("Int64", Kind.BIGINT),
        ("UInt64", Kind.BIGINT),
        ("Int128", Kind.NUMERIC),
        ("Int256", Kind.NUMERIC),
        ("UInt128", Kind.TEXT),
        ("UInt256", Kind.TEXT),
        ("Float32", Kind.FLOAT),
        ("Float64", Kind.FLOAT),
        ("BFloat16", Kind.FLOAT),
        ("Decimal(9, 2)", Kind.NUMERIC),
        ("Decimal(76, 3)", Kind.NUMERIC),
        ("String", Kind.TEXT),
        ("FixedString(16)", Kind.TEXT),
        ("UUID", Kind.UUID),
        ("Date", Kind.DATE),
        ("Date32", Kind.DATE),
        ("DateTime", Kind.TIMESTAMP),
        ("DateTime('Europe/Berlin')", Kind.TIMESTAMP),
        ("DateTime64(3)", Kind.TIMESTAMP),
        ("DateTime64(9, 'America/New_York')", Kind.TIMESTAMP),
        ("Time", Kind.TEXT),
        ("Time64(3)", Kind.TEXT),
        ("IntervalDay", Kind.BIGINT),
        ("Enum8('a' = 1, 'b, c' = 2, 'd)' = 3, 'e\\'' = 4)", Kind.TEXT),
        ("Enum16('' = 0)", Kind.TEXT),
        ("IPv4", Kind.TEXT),
        ("IPv6", Kind.TEXT),
        ("QBit(Float32, 4)", Kind.TEXT),
        ("SimpleAggregateFunction(sum, UInt64)", Kind.BIGINT),
        ("SimpleAggregateFunction(anyLast, LowCardinality(String))", Kind.TEXT),
        ("JSON", Kind.JSON),
        ("JSON(max_dynamic_paths=16, a.b UInt32)", Kind.JSON),
        ("Point", Kind.JSON),
        ("MultiPolygon", Kind.JSON),
        ("Geometry", Kind.TEXT),
        ("A type of next year(1, 'x')", Kind.TEXT),
        ("", Kind.TEXT),
        ("Array(", Kind.TEXT),
        ("Tuple()", Kind.JSON),
    ],
)
def test_types(name: str, expected: Kind) -> None:
    assert shown(name) == (ColumnType(expected), False)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Nullable(Int32)", ColumnType(Kind.INTEGER)),
        ("Nullable(DateTime64(3, 'UTC'))", ColumnType(Kind.TIMESTAMP)),
        ("LowCardinality(Nullable(String))", TEXT),
        ("SimpleAggregateFunction(max, Nullable(UUID))", ColumnType(Kind.UUID)),
        ("Variant(String, UInt64)", TEXT),
        ("Dynamic", TEXT),
        ("Dynamic(max_types=8)", TEXT),
    ],
)
def test_nullable_types(name: str, expected: ColumnType) -> None:
    assert shown(name) == (expected, True)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Array(Int64)", array(Kind.BIGINT)),
        ("Array(Nullable(String))", array(Kind.TEXT)),
        ("Array(LowCardinality(String))", array(Kind.TEXT)),
        ("Array(DateTime('UTC'))", array(Kind.TIMESTAMP)),
        ("Array(Array(UUID))", ColumnType(Kind.ARRAY, element=array(Kind.UUID))),
        ("Array(Enum8('a' = 1))", TEXT),
        ("Array(IPv4)", TEXT),
        ("Array(Int128)", TEXT),
        ("Array(BFloat16)", TEXT),
        ("Tuple(Int32, BFloat16)", TEXT),
        ("Array(Array(FixedString(2)))", TEXT),
        ("Array(Tuple(a Int32, b String))", JSON),
        ("Array(Tuple(Int32, IPv4))", TEXT),
        ("Map(String, Int32)", JSON),
        ("Map(LowCardinality(String), Array(UUID))", JSON),
        ("Map(String, DateTime)", TEXT),
        ("Map(String, Variant(String, Int8))", TEXT),
        ("Tuple(Int32, String)", JSON),
        ("Tuple(a Int32, `odd ``na, (me` Nullable(Date))", JSON),
        ("Tuple(`odd \\`na, )me` IPv4)", TEXT),
        ("Tuple(a Tuple(b Enum8('x' = 1)))", TEXT),
        ("Nested(a Int32, b Array(String))", JSON),
    ],
)
def test_composites(name: str, expected: ColumnType) -> None:
    assert shown(name) == (expected, False)


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("LowCardinality(Nullable(String))", Held.AS_SHOWN),
        ("Array(String)", Held.AS_SHOWN),
        ("Enum8('a' = 1)", Held.COMPARABLE),
        ("LowCardinality(FixedString(4))", Held.COMPARABLE),
        ("Nullable(IPv6)", Held.COMPARABLE),
        ("UInt256", Held.COMPARABLE),
        ("Time64(3)", Held.COMPARABLE),
        ("IntervalSecond", Held.CONVERTED),
        ("Variant(String, UInt64)", Held.CONVERTED),
        ("Array(IPv4)", Held.CONVERTED),
        ("A type of next year(1, 'x')", Held.CONVERTED),
    ],
)
def test_how_values_are_held(name: str, held: Held) -> None:
    described = column_type(name)
    assert described is not None
    assert described[0].held is held


def test_aggregation_states_have_no_value_to_show() -> None:
    assert column_type("AggregateFunction(quantiles(0.5, 0.9), UInt64)") is None


@given(st.text(alphabet="ABab(),' `\\\"12=", max_size=40))
def test_no_text_breaks_the_parser(text: str) -> None:
    parse(text)
    column_type(text)
