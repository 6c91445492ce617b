"""Postgres and a naive interpreter must give the same answers, whatever is asked of one table."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loaders.description import Kind
from loaders.encode.cursor import decode_cursor
from loaders.encode.value import SORTABLE
from loaders.errors import BadInput, PageTooLarge
from loaders.expression import CLOCK_UNITS
from loaders.order import cursor_form
from loaders.postgres.client import Postgres
from loaders.read import (
    Aggregate,
    AggregateFunction,
    Among,
    And,
    Bucket,
    Col,
    Compare,
    Connection,
    CountOf,
    EdgePart,
    Edges,
    Exists,
    Expression,
    Field,
    Figures,
    GroupOrder,
    Having,
    JsonPath,
    Literal,
    Measure,
    Never,
    NodeId,
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
    SortKey,
    Through,
    TotalCount,
    Unit,
    figure,
)
from tests.loaders.postgres.naive import answer, matching
from tests.loaders.postgres.reading import columns, listed, placed, run
from tests.loaders.postgres.rows import (
    DATA,
    KID_ROW,
    KID_TOYS,
    KIDS_OF_N,
    ROW_CHILDREN,
    ROW_KIDS,
    ROW_PARENT,
    ROWS,
    START,
    row_id,
)

VALUES: dict[str, list[object]] = {
    "id": [row_id(3), row_id(8), UUID(int=0)],
    "n": [0, -1, 2**31 - 1, 2**40, -(2**70)],
    "big": [0, 2**62, -(2**62), 2**63 + 1],
    "ratio": [0.0, 0.1, float("inf"), -1e-300],
    "price": [Decimal("0.25"), Decimal("-0.5"), Decimal("1E+2"), Decimal(10) ** 100, Decimal("1E-30")],
    "name": ["a", "", "it's", "a\\b", "日本 😀", "tab\tnew\nline\x01\x7f", "zz", "$1", "%s"],
    "flag": [True, False],
    "day": [date(2024, 2, 29), date(1960, 1, 1)],
    "at": [START, START + timedelta(microseconds=1), START - timedelta(days=20_000)],
    "other": [next(row["other"] for row in DATA["the rows"] if row["other"])],
}
A_PARENT = Compare(Col("id"), Op.EQ, next(row["parent_id"] for row in DATA["the rows"] if row["parent_id"]))
SORTED = [column.name for column in ROWS.columns if column.type.kind in SORTABLE]
OVER_JOINS: list[SortKey] = [
    *(Through(ROW_PARENT, Col(name)) for name in SORTED),
    Through(ROW_PARENT, Through(ROW_PARENT, Col("name"))),
    Through(ROW_PARENT, Col("n"), Compare(Col("flag"), Op.EQ, True)),
    Through(ROW_PARENT, Through(ROW_PARENT, Col("n"), Compare(Col("flag"), Op.NE, True)), Exists(ROW_PARENT)),
    Through(ROW_KIDS, Col("mood")),  # of several rows the first by key
    Through(KIDS_OF_N, Col("id")),  # and by what tells rows of one key apart, or pages would not fit together
    CountOf(ROW_KIDS),
    CountOf(ROW_CHILDREN),
    CountOf(ROW_KIDS, Compare(Col("rank"), Op.IN, (1, 2))),
    CountOf(ROW_KIDS, Exists(KID_TOYS, Compare(Col("name"), Op.STARTS_WITH, "a"))),
    Through(ROW_PARENT, CountOf(ROW_KIDS)),
    Through(ROW_PARENT, CountOf(ROW_CHILDREN), Never()),
    CountOf(ROW_CHILDREN, Never()),
]
KEYS_OF_ORDERS: list[SortKey] = [*(Col(name) for name in SORTED), *OVER_JOINS]
PATHS = [
    (),
    *(("n",), ("x",), ("name",), ("😀",), ("deep",), ("deep", "er")),
    *(("a", "0"), ("a", "-1", "b"), ("a", "9"), ("a", "x"), ("nope", "at", "all")),
]
ORDERED = [Op.EQ, Op.NE, Op.LT, Op.LTE, Op.GT, Op.GTE]
PATTERNS = ["a%", "%b", "a\\%b", "a\\_b", "a\\\\b", "_", "A", "%", "", "\\a", "%日%", "%\n%", "É", "__ 😀"]


def _choices(values: list[object]) -> list[tuple[object, ...]]:
    return [(), tuple(values), (values[0], None), (None,)]


_PLACES = tuple((row["id"], row["at"]) for row in DATA["the rows"][:4])
LEAVES: list[Predicate] = [
    Among(("id", "at"), ()),
    Among(("id", "at"), (*_PLACES, _PLACES[0], (UUID(int=0), START))),
    Among(("at", "id"), ((START, DATA["the rows"][0]["id"]), (_PLACES[1][1], _PLACES[2][0]))),
    *(Compare(Col(name), op, value) for name, values in VALUES.items() for op in ORDERED for value in values),
    *(Compare(Col(column.name), Op.IS_NULL, value) for column in ROWS.columns for value in (True, False)),
    *(
        Compare(Col(name), op, chosen)
        for name, values in VALUES.items()
        for op in (Op.IN, Op.NOT_IN)
        for chosen in _choices(values)
    ),
    *(Compare(Col("name"), op, pattern) for op in (Op.LIKE, Op.ILIKE) for pattern in PATTERNS),
    *(Compare(Col("name"), Op.STARTS_WITH, prefix) for prefix in ("", "a", "a%", "a\\", "日")),
    *(Compare(Col(name), op, None) for name in VALUES for op in (Op.EQ, Op.NE, Op.LT)),
    Compare(Col("name"), Op.LIKE, None),
    *(
        Compare(JsonPath("doc", path), op, value)
        for path in PATHS
        for op, value in (
            (Op.EQ, "7"),
            (Op.NE, "true"),
            (Op.IN, ("日本", '{"er": true}')),
            (Op.LT, "1"),
            (Op.STARTS_WITH, "t"),
            (Op.IS_NULL, True),
        )
    ),
    *(
        Compare(JsonPath("doc", path, number=True), op, value)
        for path in PATHS
        for op, value in (
            (Op.EQ, Decimal("1.5")),
            (Op.GT, Decimal(1)),
            (Op.GTE, Decimal("0.1")),
            (Op.IN, (Decimal(7), Decimal(12345678901234567890123))),
            (Op.IS_NULL, False),
        )
    ),
    Never(),
    And(()),
    Or(()),
    Exists(ROW_KIDS),
    Exists(ROW_KIDS, Never()),
    Exists(ROW_KIDS, Compare(Col("rank"), Op.GT, 2)),
    Exists(ROW_KIDS, Exists(KID_TOYS, Compare(Col("name"), Op.STARTS_WITH, "a"))),
    Exists(ROW_KIDS, And((Exists(KID_ROW, Compare(Col("n"), Op.GT, 0)), Not(Exists(KID_TOYS))))),
    Exists(ROW_CHILDREN),
    Exists(ROW_CHILDREN, Exists(ROW_CHILDREN, Exists(ROW_KIDS))),
    Exists(
        ROW_PARENT, Or((Compare(Col("flag"), Op.EQ, True), Exists(ROW_PARENT, Compare(Col("n"), Op.IS_NULL, True))))
    ),
    Not(Exists(ROW_KIDS, Not(Compare(Col("mood"), Op.GT, 0.0)))),
    Exists(ROW_PARENT, A_PARENT),
    Exists(ROW_PARENT, And((A_PARENT, Compare(Col("flag"), Op.IS_NULL, True)))),
    Exists(ROW_PARENT, Compare(Col("id"), Op.EQ, UUID(int=0))),
    Or((Compare(Col("n"), Op.EQ, 1), Not(And((Exists(ROW_PARENT, A_PARENT), Compare(Col("at"), Op.IS_NULL, False)))))),
]


def _ids(rows: list[Any]) -> list[str]:
    return [str(row["id"]) for row in rows]


async def _found(postgres: Postgres, read: Read) -> list[str]:
    return _ids((await run(read, postgres))["nodes"])


@pytest.mark.parametrize("negated", [False, True])
async def test_every_filter(postgres: Postgres, negated: bool) -> None:
    for leaf in LEAVES:
        read = listed(ROWS, columns("id"), Not(leaf) if negated else leaf)
        assert await _found(postgres, read) == _ids(matching(read, DATA)), leaf


@pytest.mark.parametrize("nulls_first", [None, True, False])
@pytest.mark.parametrize("descending", [False, True])
async def test_every_order(postgres: Postgres, descending: bool, nulls_first: bool | None) -> None:
    for name in SORTED:
        read = listed(ROWS, columns("id"), order=(OrderBy(Col(name), descending, nulls_first),))
        assert await _found(postgres, read) == _ids(matching(read, DATA)), name


@pytest.mark.parametrize("nulls_first", [None, True, False])
@pytest.mark.parametrize("descending", [False, True])
async def test_every_order_over_joins(postgres: Postgres, descending: bool, nulls_first: bool | None) -> None:
    for key in OVER_JOINS:
        read = listed(ROWS, columns("id"), order=(OrderBy(key, descending, nulls_first),))
        assert await _found(postgres, read) == _ids(matching(read, DATA)), key


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


predicates = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, max_size=3).map(lambda terms: And(tuple(terms))),
        st.lists(inner, max_size=3).map(lambda terms: Or(tuple(terms))),
        inner.map(lambda where: Exists(ROW_CHILDREN, where)),
        inner.map(lambda where: Exists(ROW_PARENT, where)),
    ),
    max_leaves=5,
)
orders = st.lists(
    st.builds(OrderBy, st.sampled_from(KEYS_OF_ORDERS), st.booleans(), st.sampled_from([None, True, False])),
    max_size=3,
    unique_by=lambda term: term.expression,  # as the mapping makes them: values of repeated ones would be slots apart
).map(tuple)
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
    expected = _ids(matching(Read(ROWS, where=where, order=order), DATA))
    seen: list[str] = []
    page = Page(size, backward)
    while True:
        read = Read(ROWS, connection=WALK, where=where, order=order, page=page)
        walked = await run(read, postgres)
        nodes = _ids(walked["nodes"])
        seen = nodes + seen if backward else seen + nodes
        info = walked["pageInfo"]
        cursors = [edge["cursor"] for edge in walked["edges"]]
        assert [info["startCursor"], info["endCursor"]] == ([cursors[0], cursors[-1]] if cursors else [None, None])
        assert _ids([edge["node"] for edge in walked["edges"]]) == nodes
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
    rows = _ids(matching(Read(ROWS, order=order), DATA))
    last = min(first + gap, len(rows) - 1)
    everything = await run(Read(ROWS, connection=Connection((("edges", EDGES),)), order=order), postgres)
    form = cursor_form(order, ROWS)
    after, before = (decode_cursor(everything["edges"][index]["cursor"], form) for index in (first, last))
    between = rows[first + 1 : last]
    page = Page(5, backward, after=after, before=before)
    read = listed(ROWS, columns("id"), order=order, page=page)
    assert await _found(postgres, read) == (between[-5:] if backward else between[:5])


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("limit", [0, 1, 55, 56, 57, None])
async def test_the_sizes_of_a_page(postgres: Postgres, limit: int | None, backward: bool) -> None:
    read = Read(ROWS, connection=WALK, page=Page(limit, backward))
    assert placed(await run(read, postgres), (), ROWS) == answer(read, DATA)


async def test_a_cursor_of_another_order_is_refused(postgres: Postgres) -> None:
    read = listed(ROWS, columns("id"), order=(OrderBy(Col("n")),), page=Page(3, after=(1,)))
    with pytest.raises(BadInput, match="does not belong"):
        await run(read, postgres)


# --- aggregates -------------------------------------------------------------------------------------------------------

_EXTREMES = (AggregateFunction.MIN, AggregateFunction.MAX)
_COUNTS = (AggregateFunction.COUNT, AggregateFunction.COUNT_DISTINCT)
MEASURES = [
    Measure(AggregateFunction.COUNT),
    *(Measure(function, Col(name)) for function in (*_COUNTS, *_EXTREMES) for name in SORTED),
    *(Measure(AggregateFunction.SUM, Col(name)) for name in ("n", "big", "price")),
]
KEYS = [
    *(Col(name) for name in SORTED),
    *(Bucket("at", unit, zone) for unit in Unit for zone in ("UTC", "Europe/Berlin", "Asia/Kolkata")),
    *(Bucket("day", unit) for unit in Unit if unit not in CLOCK_UNITS),
]
HELD = (
    Measure(AggregateFunction.COUNT),
    Measure(AggregateFunction.COUNT_DISTINCT, Col("name")),
    Measure(AggregateFunction.SUM, Col("big")),
    Measure(AggregateFunction.MIN, Col("ratio")),
    Measure(AggregateFunction.MAX, Col("other")),
    Measure(AggregateFunction.MIN, Col("day")),
)
HELD_VALUES = (3, 2, Decimal(2**62), 0.1, VALUES["other"][0], date(2024, 2, 29))
held = st.recursive(
    st.one_of(
        st.builds(
            lambda n, op: Compare(Col(figure(n)), op, HELD_VALUES[n]),
            st.integers(0, len(HELD) - 1),
            st.sampled_from(ORDERED),
        ),
        st.builds(
            lambda n, null: Compare(Col(figure(n)), Op.IS_NULL, null), st.integers(0, len(HELD) - 1), st.booleans()
        ),
    ),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, max_size=3).map(lambda terms: And(tuple(terms))),
        st.lists(inner, max_size=3).map(lambda terms: Or(tuple(terms))),
    ),
    max_leaves=4,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    where=predicates,
    groups=st.lists(st.sampled_from(KEYS), max_size=2, unique=True),
    measures=st.lists(st.sampled_from(MEASURES), max_size=4),
    limit=st.sampled_from([None, 0, 1, 3]),
    having=st.none() | held,
    order=st.lists(
        st.builds(
            GroupOrder, st.sampled_from([*KEYS[:11], *MEASURES]), st.booleans(), st.sampled_from([None, True, False])
        ),
        max_size=2,
    ),
)
async def test_aggregates(
    postgres: Postgres,
    where: Predicate,
    groups: list[Expression],
    measures: list[Measure],
    limit: int | None,
    having: Predicate | None,
    order: list[GroupOrder],
) -> None:
    key = Figures((*((f"k{n}", group) for n, group in enumerate(groups)), ("kind", Literal("Key"))))
    entries = [(f"k{n}", group) for n, group in enumerate(groups)] + [(f"m{n}", m) for n, m in enumerate(measures)]
    part = Aggregate(
        tuple(groups),
        (("key", key), *entries, ("kind", Literal("Group"))),
        limit,
        having=Having(HELD, having) if having is not None and groups else None,
        bound=1_000,
        order=tuple(term for term in order if groups and (isinstance(term.by, Measure) or term.by in groups)),
    )
    read = Read(ROWS, connection=Connection((("aggregate", part), ("nodes", Nodes(columns("id"))))), where=where)
    assert await run(read, postgres) == answer(read, DATA)


@pytest.mark.parametrize("name", SORTED)
async def test_each_measure_of_each_column(postgres: Postgres, name: str) -> None:
    measures = [measure for measure in MEASURES if measure.expression in (None, Col(name))]
    entries = tuple((str(n), measure) for n, measure in enumerate(measures))
    for part in (Aggregate((), entries), Aggregate((Col("flag"), Col(name)), (("key", Col(name)), *entries))):
        read = Read(ROWS, connection=Connection((("aggregate", part),)))
        assert await run(read, postgres) == answer(read, DATA)


@pytest.mark.parametrize(
    ("name", "where", "expected"),
    [
        ("n", None, sum(row["n"] for row in DATA["the rows"] if row["n"] is not None) / 44),  # type: ignore[misc]
        ("n", Never(), None),
        ("price", None, None),  # one is NaN
        ("price", Compare(Col("price"), Op.LT, Decimal(1)), None),
        ("ratio", Compare(Col("ratio"), Op.IN, (0.1, 0.0)), None),
    ],
)
async def test_averages_are_floats(
    postgres: Postgres, name: str, where: Predicate | None, expected: float | None
) -> None:
    part = Aggregate((), (("avg", Measure(AggregateFunction.AVG, Col(name))),))
    read = Read(ROWS, connection=Connection((("aggregate", part),)), where=where)
    ((found,),) = [group.values() for group in (await run(read, postgres))["aggregate"]]
    if where is not None and not isinstance(where, Never):
        expected = answer(read, DATA)["aggregate"][0]["avg"]
    assert found == (None if expected is None else pytest.approx(expected))


async def test_spread_and_percentiles(postgres: Postgres) -> None:
    measures = [Measure(AggregateFunction.STDDEV, Col(name)) for name in ("n", "big")]
    measures += [
        Measure(AggregateFunction.PERCENTILE, Col(name), fraction)
        for name in ("n", "big", "price", "ratio")
        for fraction in (0.0, 0.3, 0.5, 0.95, 1.0)
    ]
    entries = tuple((str(n), measure) for n, measure in enumerate(measures))
    for groups in ((), (Col("name"),), (Col("id"),)):
        read = Read(ROWS, connection=Connection((("aggregate", Aggregate(groups, entries)),)))
        found, expected = (await run(read, postgres))["aggregate"], answer(read, DATA)["aggregate"]
        assert [list(group.values()) for group in found] == [
            [None if value is None else pytest.approx(value) for value in group.values()] for group in expected
        ]


async def test_more_groups_than_the_bound_are_an_error_and_never_cut(postgres: Postgres) -> None:
    def bounded(bound: int, limit: int | None = None) -> Read:
        part = Aggregate((Col("n"),), (("n", Col("n")),), limit, bound=bound)
        return Read(ROWS, connection=Connection((("aggregate", part),)))

    everything = bounded(1_000)
    groups = (await run(everything, postgres))["aggregate"]
    assert groups == answer(everything, DATA)["aggregate"]
    assert (await run(bounded(len(groups)), postgres))["aggregate"] == groups
    assert (await run(bounded(2, limit=2), postgres))["aggregate"] == groups[:2]
    with pytest.raises(PageTooLarge, match="more groups"):
        await run(bounded(len(groups) - 1), postgres)


@pytest.mark.parametrize(
    "part",
    [
        Aggregate((), (("x", Measure(AggregateFunction.PERCENTILE, Col("n"))),)),
        Aggregate((), (("x", Measure(AggregateFunction.PERCENTILE, Col("n"), 1.5)),)),
        Aggregate((), (("x", Measure(AggregateFunction.STDDEV, Col("at"))),)),
        Aggregate((Bucket("name", Unit.DAY),), ()),
        Aggregate((Bucket("day", Unit.HOUR),), ()),
        Aggregate((), (("x", Measure(AggregateFunction.SUM, Col("name"))),)),
        Aggregate((), (("x", Measure(AggregateFunction.AVG)),)),
        Aggregate((), (("x", Measure(AggregateFunction.MIN, Col("doc"))),)),
        Aggregate((Col("doc"),), ()),
        Aggregate((Col("n"),), (("x", Col("name")),)),
    ],
)
async def test_what_cannot_be_aggregated_is_refused(postgres: Postgres, part: Aggregate) -> None:
    with pytest.raises(BadInput):
        await run(Read(ROWS, connection=Connection((("aggregate", part),))), postgres)


def test_the_rows_are_worth_asking() -> None:
    assert {column.type.kind for column in ROWS.columns} >= set(Kind) - {Kind.H3}
    assert len({row["id"] for row in DATA["the rows"]}) == 56
    assert {kid["row_id"] for kid in DATA["kids"]} < {None, *(row["id"] for row in DATA["the rows"])}
