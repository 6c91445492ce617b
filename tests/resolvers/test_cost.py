from dataclasses import replace

import pytest

from loaders.description import Column, ColumnType, Kind, Table
from loaders.errors import CostExceeded
from loaders.read import (
    Aggregate,
    Col,
    Computed,
    Connection,
    Edges,
    Field,
    Join,
    Nodes,
    Page,
    Read,
    Related,
    Slot,
    TotalCount,
)
from resolvers.cost import UNBOUNDED, Budget, price

TABLE = Table("axion_gen", "public", "t", (Column("id", ColumnType(Kind.BIGINT), nullable=False),), key=("id",))
ID = Field("id", Computed(Col("id")))
JOIN = Join(TABLE, ("id",), ("id",))


def page(size: int | None, *below: Read) -> Read:
    fields = (ID, *(Field(f"f{n}", Related(JOIN, read)) for n, read in enumerate(below)))
    return Read(TABLE, connection=Connection((("nodes", Nodes(fields)),)), page=Page(size))


ONE = Read(TABLE, fields=(ID,))
EDGES = Edges((("node", Nodes((ID, Field("x", Related(JOIN, page(5)))))),))


@pytest.mark.parametrize(
    ("read", "rows"),
    [
        (ONE, 1),
        (replace(ONE, fields=(ID, Field("x", Related(JOIN, page(7))))), 8),
        (page(0), 0),
        (page(20), 20),
        (page(20, ONE), 40),
        (page(20, page(20, page(5))), 20 * (1 + 20 * (1 + 5))),
        (page(10, page(3), page(4)), 10 * (1 + 3 + 4)),
        (Read(TABLE, connection=Connection((("edges", EDGES),)), page=Page(10)), 10 * (1 + 5)),
        (Read(TABLE, connection=Connection((("a", Nodes((ID,))), ("b", Nodes((ID,))))), page=Page(10)), 20),
        (Read(TABLE, connection=Connection((("n", TotalCount()),)), page=Page(1000)), 1),
        (Read(TABLE, connection=Connection((("g", Aggregate((), ())),)), page=Page(1000)), 1),
        (Read(TABLE, connection=Connection((("g", Aggregate((Col("id"),), (), 50)),)), page=Page(1000)), 50),
        (Read(TABLE, connection=Connection((("g", Aggregate((Col("id"),), ())),))), UNBOUNDED),
        (Read(TABLE, connection=Connection((("g", Aggregate((Col("id"),), (), bound=70)),))), 70),
        (Read(TABLE, connection=Connection((("g", Aggregate((Col("id"),), (), 80, bound=10_000)),))), 80),
        (page(20, Read(TABLE, connection=Connection((("g", Aggregate((Col("id"),), (), bound=70)),)))), 20 * 71),
        (page(None), UNBOUNDED),
    ],
)
def test_price(read: Read, rows: int) -> None:
    assert price(read) == rows


def test_a_page_whose_size_is_a_value() -> None:
    below = replace(page(0), page=Page(Slot(1)))  # type: ignore[arg-type]  # a plan has slots where values stand
    assert price(page(10, below), ("x", 6)) == 70


def test_a_budget_is_of_the_whole_document() -> None:
    budget = Budget(100)
    budget.spend(60)
    budget.spend(40)
    with pytest.raises(CostExceeded, match="101 rows, and at most 100"):
        budget.spend(1)


def test_no_bound_is_no_bound() -> None:
    Budget(None).spend(price(page(10**9, page(10**9))))
