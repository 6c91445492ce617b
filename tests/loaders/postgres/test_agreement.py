"""Postgres and a naive interpreter give the same answers: filters, orders and values of one table."""

import pytest

from loaders.description import Kind
from loaders.postgres.client import Postgres
from loaders.read import (
    Col,
    Compare,
    Field,
    Never,
    NodeId,
    Not,
    Op,
    OrderBy,
    Read,
)
from tests.loaders.postgres.asked import LEAVES, OVER_JOINS, SORTED
from tests.loaders.postgres.naive import answer, matching
from tests.loaders.postgres.reading import columns, found, ids, listed, run
from tests.loaders.postgres.rows import (
    DATA,
    ROWS,
    row_id,
)


@pytest.mark.parametrize("negated", [False, True])
async def test_every_filter(postgres: Postgres, negated: bool) -> None:
    for leaf in LEAVES:
        read = listed(ROWS, columns("id"), Not(leaf) if negated else leaf)
        assert await found(postgres, read) == ids(matching(read, DATA)), leaf


@pytest.mark.parametrize("nulls_first", [None, True, False])
@pytest.mark.parametrize("descending", [False, True])
async def test_every_order(postgres: Postgres, descending: bool, nulls_first: bool | None) -> None:
    for name in SORTED:
        read = listed(ROWS, columns("id"), order=(OrderBy(Col(name), descending, nulls_first),))
        assert await found(postgres, read) == ids(matching(read, DATA)), name


@pytest.mark.parametrize("nulls_first", [None, True, False])
@pytest.mark.parametrize("descending", [False, True])
async def test_every_order_over_joins(postgres: Postgres, descending: bool, nulls_first: bool | None) -> None:
    for key in OVER_JOINS:
        read = listed(ROWS, columns("id"), order=(OrderBy(key, descending, nulls_first),))
        assert await found(postgres, read) == ids(matching(read, DATA)), key


@pytest.mark.parametrize("name", [column.name for column in ROWS.columns])
async def test_every_kind_of_column_as_json(postgres: Postgres, name: str) -> None:
    read = listed(ROWS, columns(name))
    assert await run(read, postgres) == answer(read, DATA)


async def test_all_columns_of_one_row_under_aliases_and_as_edges(postgres: Postgres) -> None:
    fields = (*columns(*(column.name for column in ROWS.columns)), Field("id2", NodeId("Odd", ("id",))))
    read = Read(ROWS, fields, where=Compare(Col("id"), Op.EQ, row_id(4)))
    assert await run(read, postgres) == answer(read, DATA)


async def test_an_absent_object_is_none(postgres: Postgres) -> None:
    assert await run(Read(ROWS, columns("id"), where=Never()), postgres) is None


def test_the_rows_are_worth_asking() -> None:
    assert {column.type.kind for column in ROWS.columns} >= set(Kind) - {Kind.H3}
    assert len({row["id"] for row in DATA["the rows"]}) == 56
    assert {kid["row_id"] for kid in DATA["kids"]} < {None, *(row["id"] for row in DATA["the rows"])}
