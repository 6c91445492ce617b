"""The selection of `aggregate` and its arguments -> `Aggregate`, as tables of documents over the real declarations."""

from typing import Any

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLObjectType, parse, validate

from loaders.errors import BadInput, PageTooLarge
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
    Nodes,
    Not,
    Op,
    Or,
    Predicate,
    Read,
    Related,
    TotalCount,
    Unit,
    figure,
)
from schema.build import build, graphql_schema
from schema.mapping.aggregate_types import MAX_GROUPS, MAX_LISTED_GROUPS
from schema.mapping.enums import value_name
from schema.mapping.object import OBJECTS
from tests.schema.mapping.building import read_of

COUNT = Measure(AggregateFunction.COUNT)
STARTED, OS = Col("started_at"), Col("device_os")
TYPES = graphql_schema(build()).type_map
NAMES = [name for name in sorted(OBJECTS) if f"{name}Connection" in TYPES]
BY_OS = "groupBy: [{field: DEVICE_OS}]"


def _aggregate(
    selection: str, arguments: str = "", variables: dict[str, Any] | None = None, header: str = ""
) -> Aggregate:
    called = f"({arguments})" if arguments else ""
    document = f"{header} {{ sense {{ tracks {{ aggregate{called} {{ {selection} }} }} }} }}"
    connection = read_of(document, variables).connection
    assert connection is not None
    ((_, part),) = connection.entries
    assert isinstance(part, Aggregate)
    return part


def _of(function: AggregateFunction, column: str, fraction: float | None = None) -> Measure:
    return Measure(function, Col(column), fraction)


@pytest.mark.parametrize(
    ("selection", "entries"),
    [
        ("count", (("count", COUNT),)),
        ("count count", (("count", COUNT),)),
        ("n: count count", (("n", COUNT), ("count", COUNT))),
        ("__typename count", (("__typename", Literal("SenseTrackAggregate")), ("count", COUNT))),
        ("key { startedAt }", (("key", Literal(None)),)),
        ("sum { distanceM }", (("sum", Figures((("distanceM", _of(AggregateFunction.SUM, "distance_m")),))),)),
        (
            "sum { distanceM } sum { d: durationS __typename }",
            (
                (
                    "sum",
                    Figures(
                        (
                            ("distanceM", _of(AggregateFunction.SUM, "distance_m")),
                            ("d", _of(AggregateFunction.SUM, "duration_s")),
                            ("__typename", Literal("SenseTrackSum")),
                        )
                    ),
                ),
            ),
        ),
        *(
            (
                f"{name} {{ distanceM __typename }}",
                (
                    (
                        name,
                        Figures(
                            (("distanceM", _of(function, "distance_m")), ("__typename", Literal("SenseTrack" + type_)))
                        ),
                    ),
                ),
            )
            for name, function, type_ in (
                ("countDistinct", AggregateFunction.COUNT_DISTINCT, "CountDistinct"),
                ("avg", AggregateFunction.AVG, "Statistic"),
                ("stddev", AggregateFunction.STDDEV, "Statistic"),
                ("min", AggregateFunction.MIN, "Extreme"),
                ("max", AggregateFunction.MAX, "Extreme"),
            )
        ),
        (
            "median: percentile(p: 0.5) { distanceM } percentile(p: 1) { distanceM }",
            (
                ("median", Figures((("distanceM", _of(AggregateFunction.PERCENTILE, "distance_m", 0.5)),))),
                ("percentile", Figures((("distanceM", _of(AggregateFunction.PERCENTILE, "distance_m", 1.0)),))),
            ),
        ),
        ("... on SenseTrackAggregate { count } ... @skip(if: true) { n: count }", (("count", COUNT),)),
    ],
)
def test_what_is_selected(selection: str, entries: tuple[tuple[str, Any], ...]) -> None:
    assert _aggregate(selection) == Aggregate((), entries)


@pytest.mark.parametrize(
    ("terms", "groups"),
    [
        ("[]", ()),
        ("null", ()),
        ("{field: DEVICE_OS}", (OS,)),
        ("[{field: DEVICE_OS}, {field: STARTED_AT}]", (OS, STARTED)),
        ("[{field: ROW_ID}]", (Col("id"),)),
        ("[{field: STARTED_AT, truncate: null}]", (STARTED,)),
        ("[{field: STARTED_AT, truncate: DAY}]", (Bucket("started_at", Unit.DAY),)),
        *((f"[{{field: STARTED_AT, truncate: {unit.name}}}]", (Bucket("started_at", unit),)) for unit in Unit),
        (
            '[{field: STARTED_AT, truncate: WEEK, timeZone: "Europe/Berlin"}]',
            (Bucket("started_at", Unit.WEEK, "Europe/Berlin"),),
        ),
    ],
)
def test_what_makes_a_group(terms: str, groups: tuple[Expression, ...]) -> None:
    part = _aggregate("count", f"groupBy: {terms}")
    assert part == Aggregate(groups, (("count", COUNT),), bound=MAX_GROUPS if groups else None)


def test_a_key_shows_the_bucket_that_made_it() -> None:
    day = Bucket("started_at", Unit.DAY, "Asia/Kolkata")
    terms = '[{field: STARTED_AT, truncate: DAY, timeZone: "Asia/Kolkata"}, {field: DEVICE_OS}]'
    part = _aggregate("key { day: startedAt __typename deviceOs startedAt }", f"groupBy: {terms}")
    key = Figures((("day", day), ("__typename", Literal("SenseTrackGroupKey")), ("deviceOs", OS), ("startedAt", day)))
    assert (part.group_by, part.entries) == ((day, OS), (("key", key),))


@pytest.mark.parametrize(
    ("first", "limit"), [("", None), ("first: null", None), ("first: 0", 0), ("first: 10000", 10_000)]
)
def test_the_first_groups(first: str, limit: int | None) -> None:
    part = _aggregate("count", f"{BY_OS} {first}")
    assert (part.limit, part.bound) == (limit, MAX_GROUPS)


_SUM, _AVG = _of(AggregateFunction.SUM, "distance_m"), _of(AggregateFunction.AVG, "distance_m")


@pytest.mark.parametrize(
    ("having", "measures", "where"),
    [
        ("{}", (), And(())),
        ("{count: {gt: 1}}", (COUNT,), And((Compare(Col("h0"), Op.GT, 1),))),
        (
            "{count: {gt: 1, lt: 9}, sum: {distanceM: {gte: 2.5}}}",
            (COUNT, _SUM),
            And((Compare(Col("h0"), Op.LT, 9), Compare(Col("h0"), Op.GT, 1), Compare(Col("h1"), Op.GTE, 2.5))),
        ),
        (
            "{or: [{avg: {distanceM: {lt: 1.0}}}, {not: {avg: {distanceM: {isNull: true}}}}]}",
            (_AVG,),
            And(
                (
                    Or(
                        (
                            And((Compare(Col("h0"), Op.LT, 1.0),)),
                            And((Not(And((Compare(Col("h0"), Op.IS_NULL, True),))),)),
                        )
                    ),
                )
            ),
        ),
        (
            '{and: [{min: {deviceModel: {startsWith: "P"}}}], countDistinct: {deviceModel: {in: [1, 2]}}}',
            (_of(AggregateFunction.MIN, "device_model"), _of(AggregateFunction.COUNT_DISTINCT, "device_model")),
            And(
                (
                    And((And((Compare(Col("h0"), Op.STARTS_WITH, "P"),)),)),
                    Compare(Col("h1"), Op.IN, (1, 2)),
                )
            ),
        ),
    ],
)
def test_conditions_on_groups(having: str, measures: tuple[Measure, ...], where: Predicate) -> None:
    assert _aggregate("count", f"{BY_OS}, having: {having}").having == Having(measures, where)


def test_sums_of_integers_are_compared_beyond_their_32_bits() -> None:
    found = _aggregate("count", f'{BY_OS}, having: {{sum: {{frameCount: {{gt: "12345678901"}}}}}}').having
    assert found is not None
    assert found.where == And((Compare(Col(figure(0)), Op.GT, 12_345_678_901),))


@pytest.mark.parametrize(
    ("terms", "order"),
    [
        ("[]", ()),
        ("[{figure: COUNT}]", (GroupOrder(COUNT),)),
        ("{figure: COUNT, direction: DESC}", (GroupOrder(COUNT, descending=True),)),
        ("[{figure: KEY, field: DEVICE_OS, direction: DESC}]", (GroupOrder(OS, descending=True),)),
        (
            "[{figure: SUM, field: DISTANCE_M, direction: DESC_NULLS_LAST}, {figure: COUNT_DISTINCT, field: ROW_ID}]",
            (
                GroupOrder(_SUM, descending=True, nulls_first=False),
                GroupOrder(_of(AggregateFunction.COUNT_DISTINCT, "id")),
            ),
        ),
        *(
            (f"[{{figure: {name}, field: DISTANCE_M}}]", (GroupOrder(_of(AggregateFunction[name], "distance_m")),))
            for name in ("AVG", "STDDEV", "MIN", "MAX")
        ),
    ],
)
def test_the_order_of_groups(terms: str, order: tuple[GroupOrder, ...]) -> None:
    assert _aggregate("count", f"{BY_OS}, orderBy: {terms}").order == order


def test_arguments_may_be_variables() -> None:
    header = "query($by: [SenseTrackGroupBy!], $having: SenseTrackHaving, $first: Int, $p: Float!)"
    part = _aggregate(
        "percentile(p: $p) { distanceM }",
        "groupBy: $by, having: $having, first: $first",
        {"by": [{"field": "STARTED_AT", "truncate": "MONTH"}], "having": {"count": {"gt": 2}}, "first": 3, "p": 0.25},
        header,
    )
    assert part == Aggregate(
        (Bucket("started_at", Unit.MONTH),),
        (("percentile", Figures((("distanceM", _of(AggregateFunction.PERCENTILE, "distance_m", 0.25)),))),),
        3,
        Having((COUNT,), And((Compare(Col("h0"), Op.GT, 2),))),
        MAX_GROUPS,
    )


def test_aggregates_at_every_depth_and_beside_a_page() -> None:
    by_hour = "by: aggregate(groupBy: [{field: CAPTURED_AT, truncate: HOUR}]) { key { capturedAt } }"
    tracks = f"trackLogs {{ aggregate {{ count }} nodes {{ frames {{ {by_hour} }} }} }}"
    read = read_of(f"{{ sense {{ organizations {{ all: aggregate {{ count }} totalCount nodes {{ {tracks} }} }} }} }}")

    def parts(read: Read) -> dict[str, Any]:
        assert read.connection is not None
        return dict(read.connection.entries)

    def below(read: Read) -> Read:
        nodes = parts(read)["nodes"]
        assert isinstance(nodes, Nodes)
        (related,) = [field.output for field in nodes.fields]
        assert isinstance(related, Related)
        return related.read

    count = Aggregate((), (("count", COUNT),))
    hour = Bucket("captured_at", Unit.HOUR)
    by = Aggregate((hour,), (("key", Figures((("capturedAt", hour),))),), bound=MAX_LISTED_GROUPS)
    assert (parts(read)["all"], parts(read)["totalCount"]) == (count, TotalCount())
    assert parts(below(read))["aggregate"] == count
    assert below(below(read)).connection == Connection((("by", by),))


@pytest.mark.parametrize(
    ("selection", "arguments", "refusal"),
    [
        ("key { startedAt }", BY_OS, "Add it to `groupBy`"),
        ("count", "groupBy: [{field: DEVICE_OS}, {field: DEVICE_OS}]", "twice"),
        ("count", "groupBy: [{field: STARTED_AT}, {field: STARTED_AT, truncate: DAY}]", "twice"),
        ("count", "groupBy: [{field: DEVICE_OS, truncate: DAY}]", "cannot be truncated"),
        ("count", 'groupBy: [{field: STARTED_AT, timeZone: "UTC"}]', "without `truncate`"),
        ("count", 'groupBy: [{field: STARTED_AT, truncate: DAY, timeZone: "Mars/Olympus"}]', "no time zone"),
        ("count", 'groupBy: [{field: STARTED_AT, truncate: DAY, timeZone: "localtime"}]', "no time zone"),
        ("count", 'groupBy: [{field: STARTED_AT, truncate: DAY, timeZone: "Factory"}]', "no time zone"),
        ("count", 'groupBy: [{field: STARTED_AT, truncate: DAY, timeZone: "../../etc/passwd"}]', "no time zone"),
        ("count", 'groupBy: [{field: STARTED_AT, truncate: DAY, timeZone: ""}]', "no time zone"),
        ("count", "having: {count: {gt: 1}}", "Give `groupBy`"),
        ("count", f"{BY_OS}, having: {{count: null}}", "is null"),
        ("count", f"{BY_OS}, having: {{count: {{gt: null}}}}", "is null"),
        ("count", f"{BY_OS}, having: {{sum: {{distanceM: null}}}}", "is null"),
        ("count", f"{BY_OS}, first: -1", "negative"),
        ("count", "orderBy: [{figure: COUNT}]", "Give `groupBy`"),
        ("count", f"{BY_OS}, orderBy: [{{figure: COUNT, field: DEVICE_OS}}]", "takes no `field`"),
        ("count", f"{BY_OS}, orderBy: [{{figure: SUM}}]", "needs a `field`"),
        ("count", f"{BY_OS}, orderBy: [{{figure: SUM, field: DEVICE_OS}}]", "has no `sum`"),
        ("count", f"{BY_OS}, orderBy: [{{figure: MIN, field: ROW_ID}}]", "has no `min`"),
        ("count", f"{BY_OS}, orderBy: [{{figure: KEY, field: STARTED_AT}}]", "Add it to `groupBy`"),
        ("percentile(p: 1.01) { distanceM }", "", "between 0 and 1"),
        ("percentile(p: -0.01) { distanceM }", "", "between 0 and 1"),
    ],
)
def test_what_is_refused(selection: str, arguments: str, refusal: str) -> None:
    with pytest.raises(BadInput, match=refusal):
        _aggregate(selection, arguments)


def test_more_groups_than_are_answered_cannot_be_asked_for() -> None:
    with pytest.raises(PageTooLarge):
        _aggregate("count", f"{BY_OS}, first: 10001")


@pytest.mark.parametrize(
    "selection",
    [
        "aggregate(groupBy: [{field: ROUTE}]) { count }",
        "aggregate { sum { deviceModel } }",
        "aggregate { min { rowId } }",
        "aggregate { percentile { distanceM } }",
        "aggregate(groupBy: [{field: STARTED_AT, truncate: FORTNIGHT}]) { count }",
    ],
)
def test_what_the_schema_does_not_have(selection: str) -> None:
    assert validate(graphql_schema(build()), parse(f"{{ sense {{ tracks {{ {selection} }} }} }}")) != []


@pytest.mark.parametrize("name", NAMES)
def test_only_what_is_declared_is_aggregated(name: str) -> None:
    """Every field of every figure is an exposed column of a kind that the figure is made for, and is described."""
    aggregate = TYPES[f"{name}Aggregate"]
    assert isinstance(aggregate, GraphQLObjectType)
    fields = OBJECTS[name].fields
    for field_name, field in aggregate.fields.items():
        assert field.description, field_name
        shown = TYPES[str(field.type).rstrip("!")]
        for inner_name, inner in shown.fields.items() if isinstance(shown, GraphQLObjectType) else ():
            assert inner_name in fields
            assert inner.description, inner_name
    groups = TYPES.get(f"{name}GroupField")
    assert isinstance(groups, GraphQLEnumType)
    renamed = {value_name(field_name).lower() for field_name in fields}
    exposed = {getattr(field, "column", None) for field in fields.values()} | renamed
    assert {value.lower() for value in groups.values} <= exposed
    having = TYPES[f"{name}Having"]
    assert isinstance(having, GraphQLInputObjectType)
    assert set(having.fields) - {"and", "or", "not"} == set(aggregate.fields) - {"key", "percentile"}
