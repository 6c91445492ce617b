"""The same questions over the same rows: every engine answers as the naive interpreter does."""

from collections import Counter, defaultdict
from dataclasses import replace
from typing import Any

import orjson
import pytest

from loaders.columnar.connection import read_connection
from loaders.expression import CLOCK_UNITS, measure_type
from loaders.ledger import Ledger
from loaders.read import (
    Aggregate,
    AggregateFunction,
    And,
    Bucket,
    Col,
    Compare,
    Computed,
    Connection,
    Field,
    Having,
    Measure,
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
    Unit,
    WeekStart,
    figure,
)
from loaders.warehouses.base import Warehouse
from resolvers.gen.rows import paged
from tests.conformance.rows import MIXED_ROWS, comparable
from tests.conformance.subject import Subject
from tests.loaders.buckets import DATES, INSTANTS, ZONES, bucket_of
from tests.loaders.columnar.naive import Row, bytewise, holds, ordered
from tests.loaders.columnar.reading import read_rows
from tests.loaders.measures import measured
from tests.loaders.postgres.rows import instant, json_of

ID = (Field("id", Computed(Col("id"))),)
VALUES: dict[str, list[Any]] = {
    name: [row[name] for row in MIXED_ROWS if row[name] is not None and row[name] == row[name]][:3]
    for name in ("c0", "big", "ratio", "price", "name", "flag", "day", "at")
}
ORDERED = (Op.EQ, Op.NE, Op.LT, Op.LTE, Op.GT, Op.GTE)
PATTERNS = ("a%", "%b", "a\\%b", "a\\_b", "a\\\\b", "_", "A", "%", "", "%日%", "%\n%", "%'%")
LEAVES: list[Predicate] = [
    *(Compare(Col(name), op, value) for name, values in VALUES.items() for op in ORDERED for value in values[:2]),
    *(Compare(Col(name), Op.IS_NULL, value) for name in VALUES for value in (True, False)),
    *(Compare(Col(name), op, tuple(values)) for name, values in VALUES.items() for op in (Op.IN, Op.NOT_IN)),
    *(Compare(Col("name"), op, pattern) for op in (Op.LIKE, Op.ILIKE) for pattern in PATTERNS),
    *(Compare(Col("name"), Op.STARTS_WITH, prefix) for prefix in ("", "a", "a%", "日")),
]
TOGETHER: list[Predicate] = [
    And((LEAVES[0], Not(LEAVES[7]), Or((LEAVES[20], LEAVES[33])))),
    Or((Not(And((LEAVES[3], LEAVES[50]))), LEAVES[60])),
    And(()),
    Or(()),
]
MEASURED = [
    Measure(AggregateFunction.COUNT),
    *(
        Measure(function, Col(name))
        for name in ("c0", "big", "price", "name", "flag", "day", "at")
        for function in (AggregateFunction.COUNT, AggregateFunction.COUNT_DISTINCT)
    ),
    *(
        Measure(function, Col(name))
        for name in ("c0", "big", "ratio", "price", "name", "day", "at")
        for function in (AggregateFunction.MIN, AggregateFunction.MAX)
    ),
    *(Measure(AggregateFunction.SUM, Col(name)) for name in ("c0", "big", "price")),
]
APPROXIMATE = [
    *(Measure(function, Col("c0")) for function in (AggregateFunction.AVG, AggregateFunction.STDDEV)),
    *(Measure(AggregateFunction.PERCENTILE, Col("c0"), fraction=fraction) for fraction in (0.0, 0.3, 0.5, 1.0)),
]


async def mixed(warehouse: Warehouse, **asked: Any) -> Read:
    return Read(await warehouse.describe("mixed", ledger=Ledger()), **asked)


async def test_every_filter(warehouse: Warehouse, ledger: Ledger) -> None:
    asked: list[Predicate] = [*LEAVES, *TOGETHER, *(Not(leaf) for leaf in LEAVES[::5])]
    for leaf in asked:
        read = await mixed(warehouse, where=leaf, connection=Connection((("total", TotalCount()),)))
        found = orjson.loads(await read_connection(read, warehouse, ledger))["total"]
        assert found == sum(holds(leaf, row, bytewise) is True for row in MIXED_ROWS), leaf


@pytest.mark.parametrize("nulls_first", [None, True, False])
@pytest.mark.parametrize("descending", [False, True])
async def test_every_order(
    subject: Subject, warehouse: Warehouse, ledger: Ledger, descending: bool, nulls_first: bool | None
) -> None:
    for name in VALUES.keys() - subject.unsorted:
        order = (OrderBy(Col(name), descending, nulls_first), OrderBy(Col("id")))
        read = await mixed(warehouse, fields=ID, order=order, page=Page(30))
        expected = [row["id"] for row in ordered(MIXED_ROWS, read, bytewise)][:30]
        assert [int(row["id"]) for row in await read_rows(read, warehouse, ledger)] == expected, name


@pytest.mark.parametrize(
    ("table", "shown", "by"),
    [
        ("mixed", ("flag",), ()),  # nothing but ties
        ("mixed", ("flag", "day"), ("c0",)),
        ("mixed", ("name", "ratio"), ()),
        ("mixed", ("id", "c0", "big", "ratio", "price", "name", "flag", "day", "at"), ("flag",)),
        ("every_type", None, ()),
        ("every_type", None, ("text", "exact")),
    ],
)
async def test_a_page_walk_shows_every_row_once(
    table: str,
    shown: tuple[str, ...] | None,
    by: tuple[str, ...],
    subject: Subject,
    warehouse: Warehouse,
    ledger: Ledger,
) -> None:
    described = await warehouse.describe(table, ledger=ledger)
    names = [column.name for column in described.columns] if shown is None else list(shown)
    names = [name for name in names if name not in subject.mangled | subject.unsorted]
    nodes = Nodes(tuple(Field(name, Computed(Col(name))) for name in names))
    info = PageInfo((("more", PageInfoPart.HAS_NEXT_PAGE), ("end", PageInfoPart.END_CURSOR)))
    asked = Read(
        described,
        connection=Connection((("nodes", nodes), ("page", info))),
        order=tuple(OrderBy(Col(name), descending=True) for name in by),
        page=Page(7 if table == "mixed" else 1),
    )
    every = orjson.loads(await read_connection(replace(asked, page=Page()), warehouse, ledger))["nodes"]
    seen: list[dict[str, Any]] = []
    after, more = None, True
    while more:
        answer = orjson.loads(await read_connection(paged(asked, tuple(names), after=after), warehouse, ledger))
        seen += answer["nodes"]
        more, after = answer["page"]["more"], answer["page"]["end"]
        assert len(answer["nodes"]) == asked.page.limit or not more
    assert Counter(map(orjson.dumps, seen)) == Counter(map(orjson.dumps, every))
    assert [[row.get(name) for name in by] for row in seen] == [[row.get(name) for name in by] for row in every]


@pytest.mark.parametrize("group", ["c0", "big", "name", "flag", "day", "at"])
async def test_groups(group: str, warehouse: Warehouse, ledger: Ledger) -> None:
    read = await mixed(warehouse)
    key = Col(group)
    part = Aggregate((key,), (("key", key), *((f"m{n}", measure) for n, measure in enumerate(MEASURED))))
    answer = await read_connection(Read(read.table, connection=Connection((("groups", part),))), warehouse, ledger)
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in MIXED_ROWS:
        groups[row[group]].append(row)
    kind = read.table.column(group).type
    expected = [
        {"key": json_of(value, kind)}
        | {f"m{n}": json_of(_value(m, groups[value]), measure_type(m, read.table)) for n, m in enumerate(MEASURED)}
        for value in sorted(groups, key=lambda value: (value is None, 0 if value is None else bytewise(value)))
    ]
    assert comparable(orjson.loads(answer)["groups"]) == comparable(expected)


async def test_the_average_the_spread_and_percentiles(subject: Subject, warehouse: Warehouse, ledger: Ledger) -> None:
    asked = [measure for measure in APPROXIMATE if measure.function not in subject.without]
    part = Aggregate((), tuple((f"m{n}", measure) for n, measure in enumerate(asked)))
    read = await mixed(warehouse, connection=Connection((("groups", part),)))
    (found,) = orjson.loads(await read_connection(read, warehouse, ledger))["groups"]
    assert found == pytest.approx({f"m{n}": _value(measure, MIXED_ROWS) for n, measure in enumerate(asked)})


async def test_groups_that_hold(warehouse: Warehouse, ledger: Ledger) -> None:
    having = Having((Measure(AggregateFunction.COUNT),), Compare(Col(figure(0)), Op.GT, 9))
    part = Aggregate((Col("c0"),), (("key", Col("c0")), ("n", Measure(AggregateFunction.COUNT))), having=having)
    read = await mixed(warehouse, connection=Connection((("groups", part),)))
    found = orjson.loads(await read_connection(read, warehouse, ledger))["groups"]
    counts = Counter(row["c0"] for row in MIXED_ROWS)
    assert {(entry["key"], entry["n"]) for entry in comparable(found)} == {
        (key, n) for key, n in counts.items() if n > 9
    }


@pytest.mark.parametrize("unit", Unit)
async def test_buckets_of_instants(unit: Unit, warehouse: Warehouse, ledger: Ledger) -> None:
    """Days of 23 and 25 hours included, and a midnight that does not exist."""
    for zone in ZONES:
        bucket = Bucket("at", unit, zone)
        expected = Counter(bucket_of(at, bucket) for at in INSTANTS)
        found = await _counts(bucket, warehouse, ledger)
        assert found == [(instant(start), expected[start]) for start in sorted(expected)] + [(None, len(DATES))], zone


@pytest.mark.parametrize("unit", [unit for unit in Unit if unit not in CLOCK_UNITS])
async def test_buckets_of_dates(unit: Unit, warehouse: Warehouse, ledger: Ledger) -> None:
    bucket = Bucket("day", unit)
    expected = Counter(bucket_of(day, bucket) for day in DATES)
    found = await _counts(bucket, warehouse, ledger)
    assert found == [(str(start), expected[start]) for start in sorted(expected)] + [(None, len(INSTANTS))]


@pytest.mark.parametrize("week_start", WeekStart)
async def test_weeks_from_any_day(week_start: WeekStart, warehouse: Warehouse, ledger: Ledger) -> None:
    for zone in ZONES:
        bucket = Bucket("at", Unit.WEEK, zone, week_start)
        expected = Counter(bucket_of(at, bucket) for at in INSTANTS)
        found = await _counts(bucket, warehouse, ledger)
        assert found == [(instant(start), expected[start]) for start in sorted(expected)] + [(None, len(DATES))], zone
    bucket = Bucket("day", Unit.WEEK, week_start=week_start)
    expected = Counter(bucket_of(day, bucket) for day in DATES)
    found = await _counts(bucket, warehouse, ledger)
    assert found == [(str(start), expected[start]) for start in sorted(expected)] + [(None, len(INSTANTS))]


async def _counts(bucket: Bucket, warehouse: Warehouse, ledger: Ledger) -> list[tuple[str | None, int]]:
    table = await warehouse.describe("moments", ledger=ledger)
    part = Aggregate((bucket,), (("key", bucket), ("count", Measure(AggregateFunction.COUNT))))
    read = Read(table, connection=Connection((("groups", part),)))
    groups = orjson.loads(await read_connection(read, warehouse, ledger))["groups"]
    return [(group["key"], group["count"]) for group in groups]


def _value(measure: Measure, rows: list[Row]) -> Any:
    if measure.expression is None:
        return len(rows)
    assert isinstance(measure.expression, Col)
    name = measure.expression.name
    return measured(measure, [row[name] for row in rows if row[name] is not None], bytewise)
