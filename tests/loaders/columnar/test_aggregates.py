"""Groups of a columnar store against a naive interpreter: buckets, `having`, bounds, spread and percentiles."""

from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loaders.columnar.connection import read_connection, read_keyed
from loaders.errors import BadInput, PageTooLarge
from loaders.expression import CLOCK_UNITS, expression_type, having_table, measure_type
from loaders.ledger import Ledger
from loaders.read import (
    Aggregate,
    AggregateFunction,
    And,
    Bucket,
    Col,
    Compare,
    Connection,
    Expression,
    Figures,
    GroupOrder,
    Having,
    Literal,
    Measure,
    Not,
    Op,
    Or,
    Predicate,
    Read,
    Unit,
    figure,
)
from tests.loaders.buckets import bucket_of
from tests.loaders.columnar.conftest import ROWS, TABLE
from tests.loaders.columnar.naive import Row, bytewise, holds
from tests.loaders.columnar.sources import Engine
from tests.loaders.measures import in_order, measured
from tests.loaders.postgres.rows import json_of

COLUMNS = ("c0", "big", "name", "flag", "day", "at")
KEYS: list[Expression] = [
    *(Col(name) for name in COLUMNS),
    *(Bucket("at", unit, zone) for unit in Unit for zone in ("UTC", "Europe/Berlin", "Asia/Kolkata")),
    *(Bucket("day", unit) for unit in Unit if unit not in CLOCK_UNITS),
]
MEASURES = [
    Measure(AggregateFunction.COUNT),
    *(
        Measure(function, Col(name))
        for function in (AggregateFunction.COUNT, AggregateFunction.COUNT_DISTINCT)
        for name in COLUMNS
    ),
    *(
        Measure(function, Col(name))
        for function in (AggregateFunction.MIN, AggregateFunction.MAX)
        for name in ("c0", "big", "name", "flag", "day", "at", "ratio")
    ),
    *(Measure(AggregateFunction.SUM, Col(name)) for name in ("c0", "big")),
]
HELD: tuple[tuple[Measure, Any], ...] = (
    (Measure(AggregateFunction.COUNT), 3),
    (Measure(AggregateFunction.COUNT_DISTINCT, Col("name")), 2),
    (Measure(AggregateFunction.SUM, Col("c0")), 1),
    (Measure(AggregateFunction.MIN, Col("ratio")), 0.1),
    (Measure(AggregateFunction.MAX, Col("name")), "b"),
    (Measure(AggregateFunction.MIN, Col("day")), date(2024, 2, 29)),
)
PLACES = st.integers(0, len(HELD) - 1)
OPS = st.sampled_from([Op.EQ, Op.NE, Op.LT, Op.LTE, Op.GT, Op.GTE])
held = st.recursive(
    st.one_of(
        st.builds(lambda n, op: Compare(Col(figure(n)), op, HELD[n][1]), PLACES, OPS),
        st.builds(lambda n, null: Compare(Col(figure(n)), Op.IS_NULL, null), PLACES, st.booleans()),
    ),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, max_size=3).map(lambda terms: And(tuple(terms))),
        st.lists(inner, max_size=3).map(lambda terms: Or(tuple(terms))),
    ),
    max_leaves=4,
)


orders = st.lists(
    st.builds(GroupOrder, st.sampled_from([*KEYS[:8], *MEASURES]), st.booleans(), st.sampled_from([None, True, False])),
    max_size=2,
)


def _having(where: Predicate) -> Having:
    return Having(tuple(measure for measure, _ in HELD), where)


def _key(row: Row, expression: Expression) -> Any:
    match expression:
        case Bucket(name):
            return bucket_of(row[name], expression)
        case Col(name):
            return row[name]
        case _:
            raise TypeError(expression)


def _value(measure: Measure, rows: list[Row]) -> Any:
    match measure.expression:
        case None:
            return len(rows)
        case Col(name):
            return measured(measure, [row[name] for row in rows if row[name] is not None], bytewise)
        case _:
            raise TypeError(measure)


def _naive(aggregate: Aggregate, rows: list[Row]) -> list[Any]:
    groups: dict[tuple[Any, ...], list[Row]] = {} if aggregate.group_by else {(): []}
    for row in rows:
        groups.setdefault(tuple(_key(row, group) for group in aggregate.group_by), []).append(row)
    having = aggregate.having
    if having is not None:
        groups = {
            key: found
            for key, found in groups.items()
            if holds(having.where, {figure(n): _value(m, found) for n, m in enumerate(having.measures)}, bytewise)
        }

    def shown(entry: Any, key: tuple[Any, ...]) -> Any:
        match entry:
            case Literal(value):
                return value
            case Figures(entries):
                return {name: shown(below, key) for name, below in entries}
            case Measure():
                return json_of(_value(entry, groups[key]), measure_type(entry, TABLE))
            case group:
                return json_of(key[aggregate.group_by.index(group)], expression_type(group, TABLE))

    def by_key(key: tuple[Any, ...]) -> list[Any]:
        return [(value is None, None if value is None else bytewise(value)) for value in key]

    keys = sorted(groups, key=by_key)
    for term in reversed(aggregate.order):
        values = {
            key: _value(term.by, groups[key])
            if isinstance(term.by, Measure)
            else key[aggregate.group_by.index(term.by)]
            for key in keys
        }
        keys = in_order(keys, values, term, bytewise)
    return [
        {name: shown(entry, key) for name, entry in aggregate.entries}
        for key in (keys[: aggregate.limit] if aggregate.group_by else keys)
    ]


async def _groups(aggregate: Aggregate, engine: Engine) -> Any:
    read = Read(TABLE, connection=Connection((("groups", aggregate),)))
    return orjson.loads(await read_connection(read, engine, Ledger()))["groups"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    groups=st.lists(st.sampled_from(KEYS), max_size=2, unique=True),
    measures=st.lists(st.sampled_from(MEASURES), max_size=4),
    limit=st.sampled_from([None, 0, 1, 3]),
    having=st.none() | held,
    order=orders,
)
async def test_aggregates(
    engine: Engine,
    groups: list[Expression],
    measures: list[Measure],
    limit: int | None,
    having: Predicate | None,
    order: list[GroupOrder],
) -> None:
    key = Figures((*((f"k{n}", group) for n, group in enumerate(groups)), ("kind", Literal("Key"))))
    entries = tuple((f"m{n}", measure) for n, measure in enumerate(measures))
    below = Figures(entries)
    part = Aggregate(
        tuple(groups),
        (("key", key), *entries, ("below", below), *((f"k{n}", group) for n, group in enumerate(groups))),
        limit,
        having=_having(having) if having is not None and groups else None,
        bound=1_000,
        order=tuple(term for term in order if groups and (isinstance(term.by, Measure) or term.by in groups)),
    )
    assert await _groups(part, engine) == _naive(part, ROWS)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    group=st.sampled_from(KEYS),
    measures=st.lists(st.sampled_from(MEASURES), max_size=3),
    limit=st.sampled_from([None, 1, 3]),
    having=st.none() | held,
    order=orders,
)
async def test_aggregates_of_each_key(
    engine: Engine,
    group: Expression,
    measures: list[Measure],
    limit: int | None,
    having: Predicate | None,
    order: list[GroupOrder],
) -> None:
    shown = tuple(term for term in order if isinstance(term.by, Measure) or term.by == group)
    figures = tuple((f"m{n}", measure) for n, measure in enumerate(measures))
    part = Aggregate(
        (group,),
        (("key", Figures((("k", group),))), *figures),
        limit,
        None if having is None else _having(having),
        bound=100,
        order=shown,
    )
    read = Read(TABLE, connection=Connection((("groups", part),)))
    cells = sorted({row["cell"] for row in ROWS}, key=str)
    answers = await read_keyed(read, ("cell",), [(cell,) for cell in (*cells, 0)], engine, Ledger())
    for cell in (*cells, 0):
        expected = _naive(part, [row for row in ROWS if row["cell"] == cell])
        assert orjson.loads(answers[(cell,)])["groups"] == expected


async def test_spread_and_percentiles(engine: Engine) -> None:
    measures = [Measure(AggregateFunction.STDDEV, Col(name)) for name in ("c0", "price")]
    measures += [
        Measure(AggregateFunction.PERCENTILE, Col(name), fraction)
        for name in ("c0", "big", "price")  # next to an infinity, ClickHouse reckons infinity times nought
        for fraction in (0.0, 0.3, 0.5, 0.95, 1.0)
    ]
    entries = tuple((str(n), measure) for n, measure in enumerate(measures))
    for groups in ((), (Col("name"),), (Col("c0"), Col("flag")), (Col("at"), Col("day"), Col("c0"))):
        part = Aggregate(groups, entries)
        assert [list(group.values()) for group in await _groups(part, engine)] == [
            [None if value is None else pytest.approx(value) for value in group.values()]
            for group in _naive(part, ROWS)
        ]


async def test_more_groups_than_the_bound_are_an_error_and_never_cut(engine: Engine) -> None:
    part = Aggregate((Col("c0"),), (("n", Col("c0")),), bound=1_000)
    groups = await _groups(part, engine)
    assert groups == _naive(part, ROWS)
    assert await _groups(Aggregate(part.group_by, part.entries, bound=len(groups)), engine) == groups
    assert await _groups(Aggregate(part.group_by, part.entries, 2, bound=2), engine) == groups[:2]
    with pytest.raises(PageTooLarge, match=f"more than {len(groups) - 1} groups"):
        await _groups(Aggregate(part.group_by, part.entries, bound=len(groups) - 1), engine)
    read = Read(TABLE, connection=Connection((("groups", Aggregate(part.group_by, part.entries, bound=1)),)))
    with pytest.raises(PageTooLarge):
        await read_keyed(read, ("cell",), [(row["cell"],) for row in ROWS], engine, Ledger())


@pytest.mark.parametrize(
    "part",
    [
        Aggregate((), (("x", Measure(AggregateFunction.PERCENTILE, Col("c0"))),)),
        Aggregate((), (("x", Measure(AggregateFunction.PERCENTILE, Col("c0"), -0.1)),)),
        Aggregate((Bucket("name", Unit.DAY),), ()),
        Aggregate((Bucket("day", Unit.HOUR),), ()),
        Aggregate((Col("c0"),), (("x", Figures((("y", Col("name")),))),)),
    ],
)
async def test_what_cannot_be_aggregated_is_refused(engine: Engine, part: Aggregate) -> None:
    with pytest.raises(BadInput):
        await _groups(part, engine)


def test_having_needs_groups() -> None:
    with pytest.raises(ValueError, match="group_by"):
        Aggregate((), (), having=_having(And(())))
    types = [column.type for column in having_table(_having(And(())), TABLE).columns]
    assert types == [measure_type(measure, TABLE) for measure, _ in HELD]
