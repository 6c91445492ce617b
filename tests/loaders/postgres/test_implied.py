"""What an outer row already says is not asked again of the rows below it, and nothing else is left out."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from loaders.postgres.client import Postgres
from loaders.postgres.compile import compile_read
from loaders.postgres.implied import without_implied
from loaders.read import And, Col, Compare, Exists, Field, Join, Never, Not, Op, Or, Predicate, Read, Related, Slot
from tests.loaders.postgres.naive import answer
from tests.loaders.postgres.reading import columns, listed, run
from tests.loaders.postgres.rows import (
    DATA,
    KID_ROW,
    KID_TOYS,
    KIDS,
    ROW_CHILDREN,
    ROW_KIDS,
    ROW_PARENT,
    ROWS,
    TOY_KID,
    TOY_OWNER,
    TOYS,
    row_id,
)

SEEN = tuple(row_id(number) for number in range(0, 40, 3))
AMONG = Compare(Col("id"), Op.IN, SEEN)
OF_ROW = Compare(Col("row_id"), Op.IN, SEEN)
RANKED = Compare(Col("rank"), Op.GTE, 0)
KID = Exists(TOY_KID, OF_ROW)


def _below(table: Read, join: Join, where: Predicate | None) -> Read:
    """What is left of the nested read's condition."""
    nested = Field("below", Related(join, listed(join.target, columns(join.target.key[0]), where)))
    assert table.connection is None
    left = without_implied(replace(table, fields=(nested,))).fields[0].output
    assert isinstance(left, Related)
    return left.read


def _row(table: Join, *terms: Predicate) -> Read:
    return Read(table.target, where=terms[0] if len(terms) == 1 else And(terms))


@pytest.mark.parametrize(
    ("outer", "join", "where", "left"),
    [
        ((KID_ROW, AMONG), ROW_KIDS, OF_ROW, None),
        ((KID_ROW, RANKED, And((AMONG, AMONG))), ROW_KIDS, And((RANKED, OF_ROW)), RANKED),
        ((KID_ROW, AMONG), ROW_KIDS, And((RANKED, OF_ROW, KID)), And((RANKED, KID))),
        ((ROW_KIDS, OF_ROW), KID_ROW, AMONG, None),  # to one, the other way
        ((ROW_KIDS, OF_ROW), KID_TOYS, KID, None),  # the outer row is the one that is there
        ((ROW_KIDS, OF_ROW, RANKED), KID_TOYS, Exists(TOY_KID, And((RANKED, OF_ROW))), None),
        ((ROW_KIDS, OF_ROW), KID_TOYS, Exists(TOY_KID), None),
        ((TOY_OWNER, AMONG), ROW_CHILDREN, Exists(ROW_PARENT, AMONG), None),  # a table within itself
        ((KID_ROW, Compare(Col("id"), Op.IN, Slot(3))), ROW_KIDS, Compare(Col("row_id"), Op.IN, Slot(3)), None),
    ],
)
def test_left_out(outer: tuple[Join, *tuple[Predicate, ...]], join: Join, where: Predicate, left: object) -> None:
    assert _below(_row(*outer), join, where).where == left


@pytest.mark.parametrize(
    ("outer", "join", "where"),
    [
        ((KID_ROW, AMONG), ROW_KIDS, Compare(Col("row_id"), Op.IN, SEEN[:-1])),  # other ids
        ((KID_ROW, Compare(Col("id"), Op.IN, Slot(3))), ROW_KIDS, Compare(Col("row_id"), Op.IN, Slot(4))),
        ((KID_ROW, AMONG), ROW_KIDS, Compare(Col("id"), Op.IN, SEEN)),  # another column than the join's
        ((KID_ROW, AMONG), ROW_KIDS, Not(OF_ROW)),
        ((KID_ROW, Or((AMONG, Compare(Col("n"), Op.EQ, 1)))), ROW_KIDS, OF_ROW),  # one of two need not hold
        ((KID_ROW, Not(AMONG)), ROW_KIDS, OF_ROW),
        ((KID_ROW, AMONG), ROW_CHILDREN, AMONG),  # the child's own id
        ((ROW_KIDS, RANKED), KID_TOYS, KID),  # the outer row is there, of what it is nothing is known
        ((ROW_KIDS, OF_ROW), KID_TOYS, Exists(TOY_OWNER, AMONG)),  # another row than the outer one
        ((ROW_KIDS, OF_ROW), KID_TOYS, Not(KID)),
        ((TOY_OWNER, AMONG), ROW_CHILDREN, Exists(ROW_CHILDREN, AMONG)),  # a table within itself, downwards
        ((TOY_OWNER, AMONG), ROW_CHILDREN, Never()),
    ],
)
def test_kept(outer: tuple[Join, *tuple[Predicate, ...]], join: Join, where: Predicate) -> None:
    assert _below(_row(*outer), join, where).where == where


@pytest.mark.parametrize("seen", [SEEN, SEEN[:1], ()])
async def test_guards_at_every_level(postgres: Postgres, seen: Sequence[object]) -> None:
    """Lists in lists, a page each; the answer is that of the oracle, which compares at every level."""
    ids = tuple(seen)
    of_row = Compare(Col("row_id"), Op.IN, ids)
    toys = listed(TOYS, columns("name"), Exists(TOY_KID, of_row))
    kids = listed(KIDS, (*columns("id"), Field("toys", Related(KID_TOYS, toys))), And((RANKED, of_row)))
    back = Read(ROWS, columns("id"), where=Compare(Col("id"), Op.IN, ids))
    kids_again = listed(KIDS, (Field("row", Related(KID_ROW, back)),), of_row)
    shown = (*columns("id"), Field("kids", Related(ROW_KIDS, kids)), Field("again", Related(ROW_KIDS, kids_again)))
    read = listed(ROWS, shown, Compare(Col("id"), Op.IN, ids))
    assert await run(read, postgres) == answer(read, DATA)
    assert compile_read(read).sql.count("ANY") == 1
