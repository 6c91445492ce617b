"""Both engines and a naive interpreter must give the same rows, whatever is asked."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loaders.columnar.connection import read_connection
from loaders.encode.cursor import decode_cursor
from loaders.errors import BadInput
from loaders.ledger import Ledger
from loaders.order import cursor_form
from loaders.read import (
    Among,
    And,
    Col,
    Compare,
    Computed,
    Connection,
    EdgePart,
    Edges,
    Field,
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
    TotalCount,
)
from tests.loaders.columnar.conftest import ROWS, START, TABLE
from tests.loaders.columnar.naive import SortKey, bytewise, ordered, second_half_first
from tests.loaders.columnar.reading import read_rows
from tests.loaders.columnar.sources import Engine

VALUES: dict[str, list[object]] = {
    "id": [ROWS[3]["id"], ROWS[8]["id"]],
    "c0": [0, -1, 2**31 - 1, 2**40],
    "big": [0, 2**62, -(2**62), 2**63 + 1],
    "ratio": [0.0, 0.1, float("inf"), -1e-300],
    "price": [Decimal("0.25"), Decimal("-0.5"), Decimal("1E+2"), Decimal("0.3333333")],
    "name": ["a", "", "it's", "a\\b", "日本", "tab\tnew\nline", "zz"],
    "flag": [True, False],
    "day": [date(2024, 2, 29), date(1960, 1, 1)],
    "at": [START, START + timedelta(microseconds=1), START - timedelta(days=20_000)],
    "cell": [0x8928308280FFFFF, 0],
}
ORDERED = [Op.EQ, Op.NE, Op.LT, Op.LTE, Op.GT, Op.GTE]
PATTERNS = ["a%", "%b", "a\\%b", "a\\_b", "a\\\\b", "_", "A", "%", "", "\\a", "%日%", "%\n%", "É"]


def _choices(values: list[object]) -> list[tuple[object, ...]]:
    return [(), tuple(values), (values[0], None), (None,)]


_PLACES = tuple((row["id"], row["at"]) for row in ROWS[:4])
LEAVES: list[Predicate] = [
    Among(("id", "at"), ()),
    Among(("id", "at"), (*_PLACES, _PLACES[0], (ROWS[5]["id"], START - timedelta(microseconds=1)))),
    Among(("at", "id"), ((START, ROWS[0]["id"]), (_PLACES[1][1], _PLACES[2][0]))),
    *(Compare(Col(name), op, value) for name, values in VALUES.items() for op in ORDERED for value in values),
    *(Compare(Col(name), Op.IS_NULL, value) for name in VALUES for value in (True, False)),
    *(
        Compare(Col(name), op, chosen)
        for name, values in VALUES.items()
        for op in (Op.IN, Op.NOT_IN)
        for chosen in _choices(values)
    ),
    *(Compare(Col("name"), op, pattern) for op in (Op.LIKE, Op.ILIKE) for pattern in PATTERNS),
    *(Compare(Col("name"), Op.STARTS_WITH, prefix) for prefix in ("", "a", "a%", "日")),
    *(Compare(Col("tags"), op, tags) for op in (Op.CONTAINS, Op.CONTAINED_BY) for tags in ((), ("a",), ("a", "it's"))),
    *(Compare(Col(name), Op.EQ, None) for name in VALUES),
    Never(),
    And(()),
    Or(()),
]


def _sort_key(engine: Engine) -> SortKey:
    return second_half_first if engine.name == "clickhouse" else bytewise


async def _ids(engine: Engine, read: Read) -> list[str]:
    return [row["id"] for row in await read_rows(read, engine, Ledger())]


def _read(where: Predicate | None = None, order: tuple[OrderBy, ...] = (), page: Page | None = None) -> Read:
    return Read(TABLE, (Field("id", Computed(Col("id"))),), where=where, order=order, page=page or Page())


def _expected(engine: Engine, read: Read) -> list[str]:
    return [str(row["id"]) for row in ordered(ROWS, read, _sort_key(engine))]


@pytest.mark.parametrize("negated", [False, True])
async def test_every_filter(engine: Engine, negated: bool) -> None:
    for leaf in LEAVES:
        read = _read(Not(leaf) if negated else leaf)
        assert await _ids(engine, read) == _expected(engine, read), leaf


@pytest.mark.parametrize("nulls_first", [None, True, False])
@pytest.mark.parametrize("descending", [False, True])
async def test_every_order(engine: Engine, descending: bool, nulls_first: bool | None) -> None:
    for name in VALUES:
        read = _read(order=(OrderBy(Col(name), descending, nulls_first),))
        assert await _ids(engine, read) == _expected(engine, read), name


predicates = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, max_size=3).map(lambda terms: And(tuple(terms))),
        st.lists(inner, max_size=3).map(lambda terms: Or(tuple(terms))),
    ),
    max_leaves=5,
)
orders = st.lists(
    st.builds(
        OrderBy, st.sampled_from([Col(name) for name in VALUES]), st.booleans(), st.sampled_from([None, True, False])
    ),
    max_size=3,
).map(tuple)
WALK = Connection(
    (
        ("nodes", Nodes((Field("id", Computed(Col("id"))),))),
        ("pageInfo", PageInfo(tuple((part.value, part) for part in PageInfoPart))),
        ("totalCount", TotalCount()),
    )
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=predicates, order=orders, size=st.integers(1, 20), backward=st.booleans())
async def test_a_page_walk_shows_every_row_once(
    engine: Engine, where: Predicate, order: tuple[OrderBy, ...], size: int, backward: bool
) -> None:
    expected = _expected(engine, _read(where, order))
    seen: list[str] = []
    page = Page(size, backward)
    while True:
        read = Read(TABLE, connection=WALK, where=where, order=order, page=page)
        answer = orjson.loads(await read_connection(read, engine, Ledger()))
        nodes = [node["id"] for node in answer["nodes"]]
        seen = nodes + seen if backward else seen + nodes
        info = answer["pageInfo"]
        assert answer["totalCount"] == len(expected)
        if not info["hasPreviousPage" if backward else "hasNextPage"]:
            break
        assert len(nodes) == size
        bound = decode_cursor(info["startCursor" if backward else "endCursor"], cursor_form(order, TABLE))
        page = Page(size, backward, before=bound) if backward else Page(size, backward, after=bound)
    assert seen == expected


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=orders, first=st.integers(0, 46), gap=st.integers(1, 48), backward=st.booleans())
async def test_between_two_cursors(
    engine: Engine, order: tuple[OrderBy, ...], first: int, gap: int, backward: bool
) -> None:
    rows = ordered(ROWS, _read(order=order), _sort_key(engine))
    last = min(first + gap, len(rows) - 1)
    form = cursor_form(order, TABLE)
    cursors = await _cursors(engine, order)
    after, before = (decode_cursor(cursors[index], form) for index in (first, last))
    page = Page(5, backward, after=after, before=before)
    between = [str(row["id"]) for row in rows[first + 1 : last]]
    expected = between[-5:] if backward else between[:5]
    assert await _ids(engine, _read(order=order, page=page)) == expected


async def _cursors(engine: Engine, order: tuple[OrderBy, ...]) -> list[str]:
    edges = Connection((("edges", Edges((("cursor", EdgePart.CURSOR),))),))
    answer = orjson.loads(await read_connection(Read(TABLE, connection=edges, order=order), engine, Ledger()))
    return [edge["cursor"] for edge in answer["edges"]]


def test_the_rows_are_worth_asking() -> None:
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    assert any(a["at"] == b["at"] for a, b in pairwise(sorted(ROWS, key=lambda row: str(row["at"]))))


@pytest.mark.parametrize("page", [Page(1, after=("x",)), Page(1, before=("x",)), Page(1, backward=True)])
async def test_a_table_without_a_key_has_no_cursors(engine: Engine, page: Page) -> None:
    read = replace(_read(page=page), table=replace(TABLE, key=()))
    with pytest.raises(BadInput, match="has no key"):
        await _ids(engine, read)
