"""Which objects may be met below the rows of a page, as the stores can be asked for them."""

from collections.abc import Collection

import pytest

from loaders.description import Table
from loaders.read import And, Col, Compare, Connection, Exists, Join, Nodes, Op, Page, Predicate, Read
from resolvers.permissions.reached import Reached
from tests.resolvers.permissions.tables import FRAMES, ORGANIZATIONS, TO_BATCHES, TO_FRAMES, TO_TRACK, TO_TRACKS

PAGE = Read(ORGANIZATIONS, connection=Connection((("nodes", Nodes(())),)), page=Page(limit=2))
TO_EARLIER = Join(FRAMES, ("track_id",), ("track_id",))
OF_PAGE = And((Compare(Col("organization_id"), Op.IN, (5,)),))


@pytest.mark.parametrize(
    ("chain", "where"),
    [
        ((TO_TRACKS, TO_BATCHES, TO_TRACK), Exists(TO_TRACK, Exists(TO_TRACK, OF_PAGE))),
        ((TO_TRACKS, TO_FRAMES), None),  # through two stores
        ((Join(FRAMES, ("id",), ("organization_id",)),), OF_PAGE),
        ((Join(FRAMES, ("id",), ("organization_id",)), TO_EARLIER), None),  # ClickHouse follows no relations
    ],
)
async def test_the_values_are_read_of_the_rows_that_the_joins_lead_to(
    chain: tuple[Join, ...], where: Predicate | None
) -> None:
    asked: list[tuple[Table, Predicate | None]] = []

    async def distinct(table: Table, column: str, where: Predicate | None) -> Collection[object]:
        asked.append((table, where))
        return [column]

    async def rows(read: Read) -> object:
        return {"nodes": [{"c0": "5"}]}

    table = chain[-1].target
    reached = Reached(PAGE, {table: (chain,)}, rows=rows, distinct=distinct)
    assert await reached.candidates(table, (), "user_id") == {"user_id"}
    ((of, found),) = asked
    assert of is table
    if where is None:
        assert found is None
    else:
        assert str(found).count("Exists") == str(where).count("Exists")
