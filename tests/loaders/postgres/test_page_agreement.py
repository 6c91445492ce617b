"""Postgres and a naive interpreter give the same pages of one table."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loaders.encode.cursor import decode_cursor
from loaders.errors import BadInput
from loaders.order import cursor_form
from loaders.postgres.client import Postgres
from loaders.read import (
    And,
    Col,
    Connection,
    EdgePart,
    Edges,
    Literal,
    Nodes,
    OrderBy,
    Page,
    PageInfo,
    PageInfoPart,
    Predicate,
    Read,
    TotalCount,
)
from tests.loaders.postgres.asked import OVER_JOINS, SORTED, orders, predicates
from tests.loaders.postgres.naive import answer, matching
from tests.loaders.postgres.reading import columns, found, ids, listed, placed, run
from tests.loaders.postgres.rows import (
    DATA,
    ROWS,
)

INFO = PageInfo((*((part.value, part) for part in PageInfoPart), ("__typename", Literal("PageInfo"))))
EDGES = Edges((("cursor", EdgePart.CURSOR), ("node", Nodes(columns("id", "name"))), ("__typename", Literal("Edge"))))
WALK = Connection((("nodes", Nodes(columns("id"))), ("pageInfo", INFO), ("edges", EDGES), ("totalCount", TotalCount())))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=predicates, order=orders, size=st.integers(1, 20), backward=st.booleans())
async def test_a_page_walk_shows_every_row_once(
    postgres: Postgres, where: Predicate, order: tuple[OrderBy, ...], size: int, backward: bool
) -> None:
    await _walk(postgres, where, order, size, backward)


async def _walk(postgres: Postgres, where: Predicate, order: tuple[OrderBy, ...], size: int, backward: bool) -> None:
    expected = ids(matching(Read(ROWS, where=where, order=order), DATA))
    seen: list[str] = []
    page = Page(size, backward)
    while True:
        read = Read(ROWS, connection=WALK, where=where, order=order, page=page)
        walked = await run(read, postgres)
        nodes = ids(walked["nodes"])
        seen = nodes + seen if backward else seen + nodes
        info = walked["pageInfo"]
        cursors = [edge["cursor"] for edge in walked["edges"]]
        assert [info["startCursor"], info["endCursor"]] == ([cursors[0], cursors[-1]] if cursors else [None, None])
        assert ids([edge["node"] for edge in walked["edges"]]) == nodes
        assert walked["totalCount"] == len(expected)
        assert info["hasNextPage" if backward else "hasPreviousPage"] is (
            page.after is not None or page.before is not None
        )
        if not info["hasPreviousPage" if backward else "hasNextPage"]:
            break
        assert len(nodes) == size
        bound = decode_cursor(cursors[0 if backward else -1], cursor_form(order, ROWS))
        page = Page(size, backward, before=bound) if backward else Page(size, backward, after=bound)
    assert seen == expected


@pytest.mark.parametrize("nulls_first", [None, True, False])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("backward", [False, True])
async def test_a_walk_by_each_column(
    postgres: Postgres, backward: bool, descending: bool, nulls_first: bool | None
) -> None:
    for name in SORTED:
        order = (OrderBy(Col(name), descending, nulls_first),)
        await _walk(postgres, And(()), order, 17, backward)


@pytest.mark.parametrize("nulls_first", [None, True, False])
@pytest.mark.parametrize("backward", [False, True])
async def test_a_walk_over_joins(postgres: Postgres, backward: bool, nulls_first: bool | None) -> None:
    for position, key in enumerate(OVER_JOINS):
        await _walk(postgres, And(()), (OrderBy(key, bool(position % 2), nulls_first),), 17, backward)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=orders, first=st.integers(0, 50), gap=st.integers(1, 56), backward=st.booleans())
async def test_between_two_cursors(
    postgres: Postgres, order: tuple[OrderBy, ...], first: int, gap: int, backward: bool
) -> None:
    rows = ids(matching(Read(ROWS, order=order), DATA))
    last = min(first + gap, len(rows) - 1)
    everything = await run(Read(ROWS, connection=Connection((("edges", EDGES),)), order=order), postgres)
    form = cursor_form(order, ROWS)
    after, before = (decode_cursor(everything["edges"][index]["cursor"], form) for index in (first, last))
    between = rows[first + 1 : last]
    page = Page(5, backward, after=after, before=before)
    read = listed(ROWS, columns("id"), order=order, page=page)
    assert await found(postgres, read) == (between[-5:] if backward else between[:5])


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("limit", [0, 1, 55, 56, 57, None])
async def test_the_sizes_of_a_page(postgres: Postgres, limit: int | None, backward: bool) -> None:
    read = Read(ROWS, connection=WALK, page=Page(limit, backward))
    assert placed(await run(read, postgres), (), ROWS) == answer(read, DATA)


async def test_a_cursor_of_another_order_is_refused(postgres: Postgres) -> None:
    read = listed(ROWS, columns("id"), order=(OrderBy(Col("n")),), page=Page(3, after=(1,)))
    with pytest.raises(BadInput, match="does not belong"):
        await run(read, postgres)
