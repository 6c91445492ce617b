"""Arguments of remote tables as parts of a `Read`: whatever does not fit is reported as the caller's mistake."""

from dataclasses import replace
from typing import Any

import pytest

from loaders.description import Column, ColumnType, Kind, Table
from loaders.encode.cursor import encode_cursor
from loaders.errors import BadInput, InvalidCursor
from loaders.order import cursor_mark
from loaders.read import And, Col, Compare, Connection, Digest, Not, Op, Page, PageInfo, PageInfoPart, Read
from resolvers.gen.row_filter import predicate
from resolvers.gen.rows import Term, order, paged

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
)
CURSORS = Connection((("page", PageInfo((("end", PageInfoPart.END_CURSOR),))),))

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


def test_a_cursor_belongs_to_its_table_order_and_selection() -> None:
    shown = ("carrier", "delay", "year")
    read = Read(TABLE, connection=CURSORS, order=order(TABLE, [Term("delay", descending=True)]), page=Page(2))
    by = paged(read, shown, after=None)
    assert [term.expression for term in by.order] == [Col("delay"), Col("year"), Digest(("carrier",))]
    cursor = encode_cursor(["1.5", "2024", "A0", "3"], cursor_mark(by.order, TABLE))
    assert paged(read, shown, after=cursor).page == Page(2, after=(1.5, 2024, "A0"), ties=3)
    assert paged(read, shown[::-1], after=cursor).page == Page(2, after=(1.5, 2024, "A0"), ties=3)
    others = [
        (replace(read, table=replace(TABLE, name="arrivals")), shown),
        (replace(read, table=replace(TABLE, store="datasource:other")), shown),
        (replace(read, table=replace(TABLE, schema="lake")), shown),
        (replace(read, order=order(TABLE, [Term("delay")])), shown),
        (replace(read, order=order(TABLE, [Term("fare", descending=True)])), shown),
        (replace(read, order=()), shown),
        (read, (*shown, "at")),
        (read, ("delay", "year")),
    ]
    for other, columns in others:
        with pytest.raises(InvalidCursor, match="another list or of another `orderBy`"):
            paged(other, columns, after=cursor)


@pytest.mark.parametrize("ties", ["0", "-1", "x", None, "1.5", "99999999999999999999999"])
def test_a_cursor_counts_at_least_its_own_row(ties: str | None) -> None:
    read = Read(TABLE, connection=CURSORS)
    mark = cursor_mark(paged(read, ("year",), after=None).order, TABLE)
    with pytest.raises(InvalidCursor, match="malformed"):
        paged(read, ("year",), after=encode_cursor(["2024", ties], mark))


def test_rows_without_cursors_keep_their_order() -> None:
    read = Read(TABLE, connection=Connection((("page", PageInfo((("more", PageInfoPart.HAS_NEXT_PAGE),))),)))
    assert paged(read, ("year",), after=None) is read
