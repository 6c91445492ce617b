"""Postgres and a naive interpreter give the same groups and figures of one table."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loaders.errors import BadInput, PageTooLarge
from loaders.expression import CLOCK_UNITS
from loaders.postgres.client import Postgres
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
    Never,
    Nodes,
    Not,
    Op,
    Or,
    Predicate,
    Read,
    Unit,
    figure,
)
from tests.loaders.postgres.asked import ORDERED, SORTED, VALUES, predicates
from tests.loaders.postgres.naive import answer
from tests.loaders.postgres.reading import columns, run
from tests.loaders.postgres.rows import (
    DATA,
    ROWS,
)

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
