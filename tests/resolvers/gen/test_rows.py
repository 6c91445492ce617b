"""What is asked of a remote table as parts of a `Read`: what does not fit is the caller's mistake, whatever it is."""

from dataclasses import replace
from typing import Any

import pytest

from loaders.description import Column, ColumnType, Kind, Table
from loaders.encode.cursor import encode_cursor
from loaders.errors import BadInput, InvalidCursor
from loaders.order import cursor_mark
from loaders.read import And, Col, Compare, Not, Op, Page
from resolvers.gen.rows import order, page, predicate

TABLE = Table(
    "datasource:any",
    None,
    "flights",
    tuple(
        Column(name, ColumnType(kind))
        for name, kind in (
            ("delay", Kind.FLOAT),
            ("year", Kind.INTEGER),
            ("at", Kind.TIMESTAMP),
            ("carrier", Kind.TEXT),
            ("fare", Kind.NUMERIC),
        )
    ),
    key=("carrier", "year"),
)

REFUSED: list[dict[str, Any]] = [
    {"and": None},
    {"or": None},
    {"not": None},
    {"and": [{"not": None}]},
    {"column": None, "eq": 1},
    {"column": "carrier", "eq": None},
    {"column": "carrier", "in": ["UA", None]},
    {"column": "delay", "gt": 10**400},
    {"column": "delay", "in": [1.5, 10**400]},
    {"column": "year", "eq": 10**400},
    {"column": "year", "eq": True},
    {"column": "at", "gt": "0001-01-01T00:00:00+23:00"},
    {"column": "at", "lt": "9999-12-31T23:59:59-23:00"},
    {"column": "at", "lt": "0000-01-01T00:00:00Z"},
    {"column": "at", "lt": "2024-01-01T00:00:00"},
    {"column": "fare", "lt": "1e5"},
    {"column": "carrier", "eq": ["UA"]},
    {"column": "year", "like": "2%"},
]


@pytest.mark.parametrize("where", REFUSED, ids=lambda where: repr(where)[:60])
def test_refused(where: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        predicate(where, TABLE)


def test_taken() -> None:
    where = {"not": {"column": "carrier", "eq": "UA"}, "and": [{"column": "delay", "gt": 10}]}
    assert predicate(where, TABLE) == And(
        (
            Not(And((Compare(Col("carrier"), Op.EQ, "UA"),))),
            And((And((Compare(Col("delay"), Op.GT, 10.0),)),)),
        )
    )


def test_a_cursor_belongs_to_its_table_and_order() -> None:
    by_delay = order(TABLE, [("delay", True)])
    cursor = encode_cursor(["1.5", "UA", "2024"], cursor_mark(by_delay, TABLE))
    assert page(TABLE, by_delay, limit=2, after=cursor) == Page(2, after=(1.5, "UA", 2024))
    others = [
        (replace(TABLE, name="arrivals"), by_delay),
        (replace(TABLE, store="datasource:other"), by_delay),
        (replace(TABLE, schema="lake"), by_delay),
        (TABLE, order(TABLE, [("delay", False)])),
        (TABLE, order(TABLE, [("fare", True)])),
        (TABLE, ()),
    ]
    for table, terms in others:
        with pytest.raises(InvalidCursor, match="another list or of another `orderBy`"):
            page(table, terms, limit=2, after=cursor)
