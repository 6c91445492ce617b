"""Slots in and out of reads, and statements made for all values at once."""

from dataclasses import replace
from typing import Any, cast

import pytest

from loaders.description import Column, ColumnType, Held, Kind, Table
from loaders.encode.cursor import StoreText
from loaders.errors import BadInput
from loaders.parameters import Slots, fill, split, split_rest
from loaders.prepared import Prepared, prepare
from loaders.read import (
    Aggregate,
    AggregateFunction,
    And,
    Col,
    Compare,
    Computed,
    Connection,
    CosineSimilarity,
    CountOf,
    EdgePart,
    Edges,
    Exists,
    Field,
    Join,
    JsonPath,
    Masked,
    Measure,
    Never,
    Nodes,
    Not,
    Op,
    Or,
    OrderBy,
    Page,
    PageInfo,
    PageInfoPart,
    Predicate,
    Read,
    Related,
    Slot,
    Through,
    TotalCount,
)

_KINDS = {
    "id": Kind.INTEGER,
    "big": Kind.BIGINT,
    "name": Kind.TEXT,
    "at": Kind.TIMESTAMP,
    "data": Kind.JSON,
    "place": Kind.GEOMETRY,
    "v": Kind.VECTOR,
}
TABLE = Table(
    "scratch",
    "public",
    "things",
    tuple(Column(name, ColumnType(kind), nullable=name != "id") for name, kind in _KINDS.items()),
    ("id",),
)
BOX = (1.0, 2.0, 3.0, 4.0)
FAR = (-1.0, 0.0, 0.0, 1.0)
SELF = Join(TABLE, ("big",), ("id",))
SIMILAR = CosineSimilarity("v", (1.0, 2.0))
WHERE = And(
    (
        Compare(Col("id"), Op.IN, (1, 2)),
        Or((Compare(Col("name"), Op.LIKE, "a%"), Compare(JsonPath("data", ("a",)), Op.EQ, "x"), Never())),
        Not(Exists(SELF, Compare(Col("name"), Op.IS_NULL, True))),
        Exists(SELF),
        Compare(SIMILAR, Op.GT, 0.5),
        Compare(Masked(JsonPath("data", ("b", "0")), "id", (7, 8)), Op.NE, "z"),
    )
)
NESTED = Read(TABLE, connection=Connection((("n", Nodes((Field("id", Computed(Col("id"))),))),)), page=Page(7))
READ = Read(
    TABLE,
    connection=Connection(
        (
            ("nodes", Nodes((Field("s", Computed(SIMILAR)), Field("more", Related(SELF, NESTED))))),
            ("edges", Edges((("cursor", EdgePart.CURSOR), ("node", Nodes((Field("id", Computed(Col("id"))),)))))),
            ("pageInfo", PageInfo((("more", PageInfoPart.HAS_NEXT_PAGE),))),
            ("count", TotalCount()),
            ("groups", Aggregate((Col("name"),), (("name", Col("name")), ("n", Measure(AggregateFunction.COUNT))), 9)),
        )
    ),
    where=WHERE,
    order=(
        OrderBy(SIMILAR, descending=True),
        OrderBy(Through(SELF, Through(SELF, Col("at")), Compare(Col("name"), Op.EQ, "y"))),
        OrderBy(CountOf(SELF, Compare(Col("id"), Op.GT, 3))),
        OrderBy(CountOf(SELF)),
    ),
    page=Page(3, after=(0.25, None, 1, 2, 3), before=(None, None, 5, 6, 4)),
)


def test_split_and_filled_again() -> None:
    shape, values = split(READ)
    assert fill(shape, values) == READ
    assert [value for value in values if isinstance(value, str)] == ["a%", "x", "z", "y"]
    assert not any(repr(value) in repr(shape) for value in values if isinstance(value, str | tuple | float))
    assert hash(shape) == hash(split(READ)[0])


def test_values_do_not_tell_reads_apart_but_nulls_do() -> None:
    other = replace(READ, where=Compare(Col("name"), Op.EQ, "a"), page=Page(1))
    same = replace(READ, where=Compare(Col("name"), Op.EQ, "b"), page=Page(2))
    null = replace(READ, where=Compare(Col("name"), Op.EQ, None), page=Page(2))
    endless = replace(READ, where=Compare(Col("name"), Op.EQ, "b"), page=Page(None))
    shapes = [split(read)[0] for read in (other, same, null, endless)]
    assert shapes[0] == shapes[1]
    assert len(set(shapes)) == 3


def test_what_is_no_slot_yet_becomes_one() -> None:
    half = replace(READ, where=Compare(Col("name"), Op.EQ, Slot(0)), page=Page(7))
    shape, constants = split_rest(half, 3)
    assert shape.where == half.where
    assert constants[-1] == 7
    assert shape.page == Page(cast(int, Slot(2 + len(constants))))
    assert fill(shape, ("a", "b", "c", *constants)) == fill(half, ("a",))


def test_the_word_of_is_null_is_part_of_the_read() -> None:
    slots = Slots(4)
    assert slots.of_predicate(Compare(Col("name"), Op.IS_NULL, False)) == Compare(Col("name"), Op.IS_NULL, False)
    assert slots.of_predicate(Compare(Col("id"), Op.IN, (1, 2))) == Compare(Col("id"), Op.IN, Slot(4))
    assert slots.values == [(1, 2)]


def test_a_tuple_has_one_slot_wherever_it_stands() -> None:
    slots, ids = Slots(1), (1, 2)
    found = [slots.of_ids(ids), slots.of_predicate(Compare(Col("id"), Op.IN, ids)), slots.of_ids((3, 4))]
    assert found == [Slot(1), Compare(Col("id"), Op.IN, Slot(1)), Slot(2)]
    assert slots.values == [ids, (3, 4)]


def _statement(where: Predicate) -> tuple[str, tuple[object, ...]]:
    prepared, values = prepare(Read(TABLE, fields=(Field("id", Computed(Col("id"))),), where=where))
    return prepared.statement(values)


@pytest.mark.parametrize(
    ("op", "column", "values", "parameters"),
    [
        (Op.EQ, "id", [1, 2, -(2**31)], [(1,), (2,), (-(2**31),)]),
        (Op.EQ, "big", [1, 2**62], [(1,), (2**62,)]),
        (Op.IN, "id", [(1, 2), (), (3,)], [([1, 2],), ([],), ([3],)]),
        (Op.LIKE, "name", ["a%", "b\\x"], [("a%",), ("bx",)]),
        (Op.STARTS_WITH, "name", ["a", "50%_\\"], [("a%",), ("50\\%\\_\\\\%",)]),
        (Op.HAS_KEY, "data", ["a", "b"], [("a",), ("b",)]),
        (Op.CONTAINS, "data", ["{}", "[1]"], [("{}",), ("[1]",)]),
        (
            Op.BBOX,
            "place",
            [BOX, FAR],
            [BOX, FAR],
        ),
        (Op.WITHIN, "place", ["{}", "{1}"], [("{}",), ("{1}",)]),
        (Op.DWITHIN, "place", [("{}", 1.0), ("{1}", 2.0)], [("{}", 1.0), ("{1}", 2.0)]),
    ],
)
def test_one_statement_for_all_usual_values(op: Op, column: str, values: list[Any], parameters: list[Any]) -> None:
    statements = [_statement(Compare(Col(column), op, value)) for value in values]
    assert len({sql for sql, _ in statements}) == 1
    assert [bound[: len(parameters[0])] for _, bound in statements] == parameters


def test_one_statement_for_all_paths() -> None:
    at = [JsonPath("data", path) for path in ((), ("a",), ("a", "0"))]
    assert len({_statement(Compare(path, Op.EQ, "x"))[0] for path in at}) == 1
    assert [_statement(Compare(path, Op.EQ, "x"))[1][:2] for path in at] == [
        ([], "x"),
        (["a"], "x"),
        (["a", "0"], "x"),
    ]


@pytest.mark.parametrize(
    ("op", "column", "usual", "odd"),
    [
        (Op.EQ, "id", 1, 2**40),
        (Op.IN, "id", (1,), (1, 2**40)),
        (Op.GT, "big", 1, 2**63),
        (Op.GT, "at", None, StoreText("infinity")),
        (Op.BBOX, "place", (1.0, 0.0, 2.0, 1.0), (170.0, 0.0, -170.0, 1.0)),
    ],
)
def test_an_odd_value_has_a_statement_of_its_own(op: Op, column: str, usual: Any, odd: Any) -> None:
    where = Compare(Col(column), op, odd)
    read = Read(TABLE, fields=(Field("id", Computed(Col("id"))),), where=where)
    shape, values = split(read)
    prepared = Prepared(shape)
    sql, parameters = prepared.statement(values)
    assert not any(isinstance(parameter, Slot) for parameter in parameters)
    if usual is not None:
        assert prepared.statement([usual])[0] != sql


def test_wrong_values_are_told_when_the_statement_is_bound() -> None:
    with pytest.raises(BadInput, match="backslash"):
        _statement(Compare(Col("name"), Op.LIKE, "\\"))
    with pytest.raises(BadInput, match="zeros"):
        _statement(Compare(CosineSimilarity("v", (0.0,)), Op.GT, 0.1))


def test_a_page_size_is_a_value() -> None:
    sizes = [prepare(replace(NESTED, page=Page(size)))[0] for size in (1, 2, 500)]
    assert sizes[0] is sizes[1] is sizes[2]


def test_a_column_that_its_store_holds_otherwise_makes_another_read() -> None:
    """As when a remote table is altered: the list of before was compiled for it, until it left the cache."""
    for held in Held:
        table = Table("datasource:1", None, "things", (Column("word", ColumnType(Kind.TEXT, held=held)),), ())
        prepared, _ = prepare(Read(table, where=Compare(Col("word"), Op.EQ, "a")))
        assert prepared.read.table.column("word").type.held is held
