"""Semantic metrics over the flights of New York, compared with plain Python."""

import asyncio
from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import QueuePool

from deploy.local.samples.flights import NewYorkFlights
from tests.resolvers.gen.conftest import GenStores
from tests.schema.gen.new_york import Answer, add_source, asked, made
from tests.schema.gen.world import World

ZONE = ZoneInfo("America/New_York")
METRIC = """
query Metric($id: ID!, $name: String!, $version: Int, $groupBy: [String!], $time: GenMetricTime, $where: GenRowFilter) {
  gen { dataset(id: $id) { metric(name: $name, version: $version) {
    aggregate(groupBy: $groupBy, time: $time, where: $where)
  } } }
}
"""
ID = """query Id($id: ID!, $name: String!) { gen { dataset(id: $id) {
  metrics(where: {name: {eq: $name}, isCurrent: {eq: true}}) { nodes { id } }
} } }"""
PARTS = """query Parts($id: ID!) { gen { dataset(id: $id) {
  metric(name: "late_share", version: 1) { answer { parts { name version } } }
} } }"""
SIMPLE = {
    "datasetId": "@nyc",
    "kind": "SIMPLE",
    "tableName": "flights",
    "grain": ["time_hour", "carrier", "flight"],
    "timeColumn": "time_hour",
    "dimensions": ["origin", "carrier"],
}
COUNT = {"measure": {"function": "COUNT"}}
LATE = {"measure": {"function": "COUNT"}, "where": {"column": "dep_delay", "gt": 60}}
DELAY = {"measure": {"function": "AVG", "column": "dep_delay"}}
MILES = {"measure": {"function": "SUM", "column": "distance"}}
RAIN = {"measure": {"function": "SUM", "column": "precip"}}


@pytest.fixture
async def metrics(nyc: World) -> World:
    for name, definition in (("flights", COUNT), ("late", LATE), ("delay", DELAY), ("miles", MILES)):
        await made(
            nyc, "GenSemanticMetric", {**SIMPLE, "name": name, "title": name, "definition": definition}, user="admin"
        )
    rain = {**SIMPLE, "name": "rain", "title": "Rain", "tableName": "weather", "dimensions": ["origin"]}
    await made(nyc, "GenSemanticMetric", {**rain, "grain": ["origin", "time_hour"], "definition": RAIN}, user="admin")
    made_of: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("late_share", "ratio", {"numerator": "late", "denominator": "flights"}),
        ("rain_a_flight", "ratio", {"numerator": "rain", "denominator": "flights"}),
        ("late_percent", "derived", {"expression": "late_share * 100 - 0 * delay", "metrics": ["late_share", "delay"]}),
        ("so_far", "cumulative", {"metric": "flights", "grainToDate": "MONTH"}),
        ("week_share", "cumulative", {"metric": "late_share", "window": {"count": 7, "unit": "DAY"}}),
    )
    for name, kind, definition in made_of:
        given = {"datasetId": "@nyc", "name": name, "title": name, "kind": kind.upper(), "definition": definition}
        time = {"timeColumn": "time_hour"} if kind == "cumulative" else {}
        await made(nyc, "GenSemanticMetric", {**given, **time}, user="admin")
    return nyc


@pytest.fixture(scope="session")
def flights(sample: NewYorkFlights) -> list[dict[str, Any]]:
    columns = ["origin", "carrier", "dep_delay", "distance", "time_hour"]
    rows: list[dict[str, Any]] = sample.flights.select(columns).to_pylist()
    return rows


async def key_of(world: World, name: str) -> str:
    """The global id of the version that is current."""
    found = await asked(world, "ann", ID, {"id": "@nyc", "name": name})
    (node,) = found.data["gen"]["dataset"]["metrics"]["nodes"]
    return str(node["id"])


def groups(answer: Answer) -> list[dict[str, Any]]:
    assert not answer.errors, answer.errors
    rows: list[dict[str, Any]] = answer.data["gen"]["dataset"]["metric"]["aggregate"]
    return rows


async def ask(world: World, name: str, *by: str, user: str = "ann", **variables: Any) -> Answer:
    return await asked(world, user, METRIC, {"id": "@nyc", "name": name, "groupBy": list(by), **variables})


def is_late(flight: dict[str, Any]) -> bool:
    return (flight["dep_delay"] or 0) > 60


async def test_simple(metrics: World, flights: list[dict[str, Any]]) -> None:
    miles: Counter[str] = Counter()
    delays: defaultdict[str, list[int]] = defaultdict(list)
    for flight in flights:
        miles[flight["origin"]] += flight["distance"]
        if flight["dep_delay"] is not None:
            delays[flight["carrier"]].append(flight["dep_delay"])
    assert groups(await ask(metrics, "flights")) == [{"flights": len(flights)}]
    found = groups(await ask(metrics, "miles", "origin"))
    assert found == [{"origin": origin, "miles": str(total)} for origin, total in sorted(miles.items())]
    found = groups(await ask(metrics, "delay", "carrier"))
    expected = {carrier: sum(of) / len(of) for carrier, of in delays.items()}
    assert {row["carrier"]: row["delay"] for row in found} == pytest.approx(expected)


async def test_a_ratio_is_reckoned_for_each_group(metrics: World, flights: list[dict[str, Any]]) -> None:
    all_of, late = Counter(f["origin"] for f in flights), Counter(f["origin"] for f in flights if is_late(f))
    found = groups(await ask(metrics, "late_share", "origin"))
    assert found == [{"origin": origin, "late_share": late[origin] / all_of[origin]} for origin in sorted(all_of)]
    (whole,) = groups(await ask(metrics, "late_share"))
    assert whole["late_share"] == late.total() / all_of.total()
    mean = sum(row["late_share"] for row in found) / len(found)
    assert whole["late_share"] != pytest.approx(mean)
    (percent,) = groups(await ask(metrics, "late_percent"))
    assert percent["late_percent"] == pytest.approx(whole["late_share"] * 100)


async def test_metrics_of_two_tables_multiply_no_row(
    metrics: World, flights: list[dict[str, Any]], sample: NewYorkFlights
) -> None:
    """The rain of an airport over its flights: each table is aggregated by itself, never joined row by row."""
    rain: Counter[str] = Counter()
    for origin, inches in zip(*(sample.weather[name].to_pylist() for name in ("origin", "precip")), strict=True):
        rain[origin] += inches or 0
    count = Counter(flight["origin"] for flight in flights)
    answer = await ask(metrics, "rain_a_flight", "origin")
    expected = {origin: rain[origin] / count[origin] for origin in count}
    assert {row["origin"]: row["rain_a_flight"] for row in groups(answer)} == pytest.approx(expected)
    assert answer.statements(metrics.stores["nyc"]) == 2 + 2  # two descriptions, a query of each table


async def test_through_time(metrics: World, flights: list[dict[str, Any]]) -> None:
    days = Counter(flight["time_hour"].astimezone(ZONE).date() for flight in flights)
    late = Counter(flight["time_hour"].astimezone(ZONE).date() for flight in flights if is_late(flight))
    first, end = datetime(2013, 3, 9, tzinfo=ZONE), datetime(2013, 3, 12, tzinfo=ZONE)
    ends = {"from": first.isoformat(), "to": end.isoformat()}
    time = {"unit": "DAY", "timeZone": "America/New_York", **ends}
    found = groups(await ask(metrics, "flights", time=time))
    assert [(datetime.fromisoformat(row["time"]).astimezone(ZONE).date(), row["flights"]) for row in found] == [
        (datetime(2013, 3, day, tzinfo=ZONE).date(), days[datetime(2013, 3, day, tzinfo=UTC).date()])
        for day in (9, 10, 11)
    ]
    found = groups(await ask(metrics, "so_far", time=time))
    month = {day: sum(n for each, n in days.items() if each.month == 3 and each.day <= day) for day in (9, 10, 11)}
    assert [row["so_far"] for row in found] == list(month.values())
    found = groups(await ask(metrics, "week_share", time=time))
    shares = []
    for day in (9, 10, 11):
        week = [each for each in days if each.month == 3 and day - 7 < each.day <= day]
        shares.append(sum(late[each] for each in week) / sum(days[each] for each in week))
    assert [row["week_share"] for row in found] == pytest.approx(shares)


OVER = """
query Over($id: ID!, $over: GenTimeBucket!) {
  gen { dataset(id: $id) { table(name: "flights") { aggregate(
    groupBy: ["origin"], over: $over, measures: [{function: COUNT, as: "flights"}]
  ) } } }
}
"""


async def test_gaps_and_earlier_ranges_are_those_of_other_groups(metrics: World) -> None:
    """The same buckets, fills and comparisons as `over` has: days of 23 and 25 hours, ISO weeks and others."""
    zone = "America/New_York"
    for unit, first, end, more in (
        ("HOUR", "2013-03-10T05:00:00Z", "2013-03-11T04:00:00Z", {"fill": "ZERO", "compare": "PREVIOUS_PERIOD"}),
        ("HOUR", "2013-11-03T04:00:00Z", "2013-11-04T05:00:00Z", {"fill": "PREVIOUS"}),
        ("WEEK", "2013-03-04T05:00:00Z", "2013-04-01T04:00:00Z", {"compare": "PREVIOUS_PERIOD"}),
        ("WEEK", "2013-03-03T05:00:00Z", "2013-03-31T04:00:00Z", {"fill": "NULL", "weekStart": "SUNDAY"}),
        ("DAY", "2013-12-30T05:00:00Z", "2014-01-03T05:00:00Z", {"fill": "ZERO", "compare": "PREVIOUS_YEAR"}),
    ):
        time = {"unit": unit, "timeZone": zone, "from": first, "to": end, **more}
        found = groups(await ask(metrics, "flights", "origin", time=time))
        answer = await asked(
            metrics, "ann", OVER, {"id": "@nyc", "over": {"column": "time_hour", "as": "time", **time}}
        )
        expected = answer.data["gen"]["dataset"]["table"]["aggregate"]
        assert sorted(found, key=repr) == sorted(expected, key=repr), time
        if unit == "HOUR":
            assert len(found) == 3 * (23 if "compare" in more else 25)


async def test_a_ratio_through_time_is_compared_and_filled(metrics: World, flights: list[dict[str, Any]]) -> None:
    days, late = Counter[Any](), Counter[Any]()
    for flight in flights:
        day = flight["time_hour"].astimezone(ZONE).date()
        days[day] += 1
        late[day] += is_late(flight)
    time = {"unit": "DAY", "timeZone": "America/New_York", "compare": "PREVIOUS_PERIOD", "fill": "NULL"}
    ends = {"from": "2013-12-31T05:00:00Z", "to": "2014-01-02T05:00:00Z"}
    last, after = groups(await ask(metrics, "late_share", time=time | ends))
    assert last["late_share"] == late[date(2013, 12, 31)] / days[date(2013, 12, 31)]
    assert last["compared"]["late_share"] == late[date(2013, 12, 29)] / days[date(2013, 12, 29)]
    assert after["late_share"] is None
    assert after["compared"]["late_share"] == late[date(2013, 12, 30)] / days[date(2013, 12, 30)]
    ends = {"from": "2013-03-01T05:00:00Z", "to": "2013-03-03T05:00:00Z"}
    found = groups(await ask(metrics, "so_far", time=time | ends))
    march, february = ([date(2013, month, day) for day in range(1, 29)] for month in (3, 2))
    assert [row["so_far"] for row in found] == [days[march[0]], days[march[0]] + days[march[1]]]
    before = [sum(days[day] for day in february[:27]), sum(days[day] for day in february)]
    assert [row["compared"]["so_far"] for row in found] == before


async def test_what_is_refused(metrics: World) -> None:
    day = {"unit": "DAY"}
    for name, by, variables, code in (
        ("flights", ["dest"], {}, "BAD_USER_INPUT"),
        ("rain_a_flight", ["carrier"], {}, "BAD_USER_INPUT"),
        ("so_far", [], {}, "BAD_USER_INPUT"),
        ("none", [], {}, "NOT_FOUND"),
        ("flights", [], {"version": 2}, "NOT_FOUND"),
        ("flights", [], {"time": {**day, "timeZone": "Mars"}}, "BAD_USER_INPUT"),
        ("flights", [], {"where": {"column": "gone", "eq": 1}}, "UNKNOWN_COLUMN"),
        ("flights", [], {"time": {**day, "compare": "PREVIOUS_YEAR"}}, "BAD_USER_INPUT"),
        ("flights", ["origin", "carrier"], {"time": {"unit": "HOUR"}}, "PAGE_TOO_LARGE"),
        ("so_far", [], {"time": {"unit": "SECOND"}}, "PAGE_TOO_LARGE"),
    ):
        answer = await ask(metrics, name, *by, **variables)
        assert [error["code"] for error in answer.errors] == [code], (name, by, variables)


async def test_a_version(metrics: World, flights: list[dict[str, Any]]) -> None:
    patch = {"definition": {**LATE, "where": {"column": "dep_delay", "gt": 120}}}
    done = await metrics.do("admin", "genSemanticMetricRevise", {"id": await key_of(metrics, "late"), "patch": patch})
    assert done["__typename"] == "GenSemanticMetricRevisePayload", done
    assert groups(await ask(metrics, "late", version=1)) == [{"late": sum(map(is_late, flights))}]
    assert groups(await ask(metrics, "late")) == [{"late": sum((f["dep_delay"] or 0) > 120 for f in flights)}]


async def test_an_old_ratio_keeps_its_old_parts(metrics: World, flights: list[dict[str, Any]]) -> None:
    """A ratio as it stands follows its parts; a version of it that was followed by another answers as it did last."""
    late = {minutes: sum((f["dep_delay"] or 0) > minutes for f in flights) for minutes in (60, 120)}
    definition = {"numerator": "late", "denominator": "flights"}
    narrower = {"definition": {**LATE, "where": {"column": "dep_delay", "gt": 120}}}
    for name, patch in (("late_share", {"definition": definition}), ("late", narrower)):
        done = await metrics.do("admin", "genSemanticMetricRevise", {"id": await key_of(metrics, name), "patch": patch})
        assert done["__typename"] == "GenSemanticMetricRevisePayload", done
    for version, minutes in ((1, 60), (2, 120), (None, 120)):
        found = groups(await ask(metrics, "late_share", version=version))
        assert found == [{"late_share": late[minutes] / len(flights)}], version
    answer = await asked(metrics, "ann", PARTS, {"id": "@nyc"})
    assert answer.data["gen"]["dataset"]["metric"]["answer"]["parts"] == [
        {"name": "late_share", "version": 1},
        {"name": "late", "version": 1},
        {"name": "flights", "version": 1},
    ]


async def test_who_may_not_see_the_dataset(metrics: World) -> None:
    for user in ("stranger", ""):
        answer = await ask(metrics, "flights", user=user)
        assert answer.data["gen"]["dataset"] is None
        assert answer.statements(metrics.stores["nyc"]) == 0


async def test_no_transaction_is_open_while_a_warehouse_is_asked(world: World, stores: GenStores) -> None:
    """It may hang, and few connections write: nobody else's write waits for it."""
    pool = stores.postgres["axion_gen"].engine.pool
    assert isinstance(pool, QueuePool)
    answering, met = asyncio.Event(), asyncio.Event()

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.set()
        await answering.wait()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        settings = {"url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}
        hung = await add_source(world, stores, source="hung", dataset="nyc", settings=settings, connector="clickhouse")
        one = {**SIMPLE, "name": "one", "title": "One", "definition": COUNT}
        write = asyncio.create_task(hung.do("admin", "genSemanticMetricCreate", one))
        await asyncio.wait({write, asyncio.create_task(met.wait())}, return_when=asyncio.FIRST_COMPLETED)
        assert not write.done()
        assert pool.checkedout() == 0
        answering.set()
        assert (await write)["__typename"] == "GenSemanticMetricCreatePayload"
