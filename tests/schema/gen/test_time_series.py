"""Buckets of time over the flights of New York, on two engines, compared with plain Python and its time zones."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from deploy.local.samples.flights import NewYorkFlights
from loaders.read import Bucket, Unit, WeekStart
from tests.conformance.subjects.s3_parquet import S3ParquetSubject, S3Server
from tests.loaders.buckets import bucket_of
from tests.resolvers.gen.conftest import GenStores
from tests.schema.gen.new_york import add_source, asked, made
from tests.schema.gen.world import World

ZONE = "America/New_York"
AGGREGATE = """
query Series($id: ID!, $over: GenTimeBucket!, $groupBy: [String!], $where: GenRowFilter, $first: Int) {
  gen { dataset(id: $id) { table(name: "flights") {
    aggregate(over: $over, groupBy: $groupBy, where: $where, first: $first, measures: [{function: COUNT, as: "n"}])
  } } }
}
"""


class Lake(S3ParquetSubject):
    bucket = "axion-new-york"


@pytest.fixture(params=["clickhouse", "s3_parquet"])
async def flown(
    request: pytest.FixtureRequest, nyc: World, stores: GenStores, s3: S3Server, sample: NewYorkFlights
) -> World:
    """The world whose dataset `nyc` is on one engine."""
    if request.param == "clickhouse":
        return nyc
    subject = Lake(s3)
    await subject.prepare()
    await subject.load("flights", sample.flights)
    settings = {
        "endpoint": s3.endpoint,
        "bucket": subject.bucket,
        "prefix": subject.space,
        "access_key": s3.access_key,
        "secret_key": s3.secret_key,
    }
    added = await add_source(nyc, stores, source="lake", dataset="lake", settings=settings, connector="s3_parquet")
    return replace(added, ids={**added.ids, "nyc": added.ids["lake"]})


@pytest.fixture(scope="session")
def departures(sample: NewYorkFlights) -> list[tuple[datetime, str]]:
    rows = sample.flights.select(["time_hour", "origin"]).to_pylist()
    return [(row["time_hour"], row["origin"]) for row in rows]


def text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def local(*parts: int) -> str:
    return text(datetime(*parts, tzinfo=ZoneInfo(ZONE)))  # type: ignore[misc, arg-type]  # year, month, day, ...


async def answered(world: World, over: dict[str, Any], **variables: Any) -> list[dict[str, Any]]:
    answer = await asked(world, "ann", AGGREGATE, {"id": "@nyc", "over": over, **variables})
    assert not answer.errors, answer.errors
    rows: list[dict[str, Any]] = answer.data["gen"]["dataset"]["table"]["aggregate"]
    return rows


UNITS = [
    *((unit, WeekStart.MONDAY) for unit in ("DAY", "WEEK", "MONTH", "QUARTER", "YEAR")),
    ("WEEK", WeekStart.SUNDAY),
    ("WEEK", WeekStart.SATURDAY),
]


async def test_buckets(flown: World, departures: list[tuple[datetime, str]]) -> None:
    for unit, week_start in UNITS:
        bucket = Bucket("time_hour", Unit[unit], ZONE, week_start)
        expected = Counter(text(bucket_of(at, bucket)) for at, _ in departures)
        over = {"column": "time_hour", "unit": unit, "timeZone": ZONE, "weekStart": week_start.name, "as": "at"}
        assert await answered(flown, over) == [{"at": at, "n": n} for at, n in sorted(expected.items())]


async def test_each_hour_of_a_day(flown: World, departures: list[tuple[datetime, str]]) -> None:
    """Hours without a flight stand there with zero, and the day has as many as its clocks count."""
    expected = Counter(text(at) for at, _ in departures)
    for month, day, hours in ((3, 10, 23), (11, 3, 25), (7, 4, 24)):
        over = {"column": "time_hour", "unit": "HOUR", "timeZone": ZONE, "fill": "ZERO", "as": "at"}
        found = await answered(flown, over | {"from": local(2013, month, day), "to": local(2013, month, day + 1)})
        assert len(found) == hours
        assert [row["n"] for row in found] == [expected[row["at"]] for row in found]
        assert sum(row["n"] == 0 for row in found) >= 4


async def test_compared_with_the_month_before(flown: World, departures: list[tuple[datetime, str]]) -> None:
    over = {"column": "time_hour", "unit": "MONTH", "timeZone": ZONE, "compare": "PREVIOUS_PERIOD", "as": "month"}
    found = await answered(flown, over | {"from": local(2013, 3, 1), "to": local(2013, 5, 1)}, groupBy=["origin"])
    expected = Counter((at.astimezone(ZoneInfo(ZONE)).month, origin) for at, origin in departures)
    assert [(row["month"], row["origin"], row["n"], row["compared"]) for row in found] == [
        (
            local(2013, month, 1),
            origin,
            expected[month, origin],
            {"month": local(2013, month - 2, 1), "n": expected[month - 2, origin]},
        )
        for month in (3, 4)
        for origin in ("EWR", "JFK", "LGA")
    ]


async def test_what_does_not_fit(nyc: World) -> None:
    over = {"column": "time_hour", "unit": "DAY"}
    for wrong, code in (
        ({"column": "origin"}, "BAD_USER_INPUT"),
        ({"column": "none"}, "UNKNOWN_COLUMN"),
        ({"timeZone": "Mars"}, "BAD_USER_INPUT"),
        ({"compare": "PREVIOUS_YEAR"}, "BAD_USER_INPUT"),
        ({"from": "yesterday"}, "BAD_USER_INPUT"),
        ({"from": local(2013, 2, 1), "to": local(2013, 1, 1)}, "BAD_USER_INPUT"),
        ({"as": "n"}, "BAD_USER_INPUT"),
        ({"unit": "SECOND", "fill": "ZERO"}, "PAGE_TOO_LARGE"),
    ):
        answer = await asked(nyc, "ann", AGGREGATE, {"id": "@nyc", "over": over | wrong})
        assert [error["code"] for error in answer.errors] == [code], wrong
    answer = await asked(nyc, "ann", AGGREGATE, {"id": "@nyc", "over": over | {"fill": "NULL"}, "first": 5})
    assert [error["code"] for error in answer.errors] == ["BAD_USER_INPUT"]


async def test_a_widget_through_time(nyc: World, departures: list[tuple[datetime, str]]) -> None:
    """Its zone is the dashboard's, its range the filter's; the query is checked when it is kept."""
    board = await made(nyc, "GenDashboard", {"name": "Time", "timeZone": ZONE})
    query = {
        "over": {"column": "time_hour", "unit": "WEEK", "weekStart": "SUNDAY", "fill": "NULL", "as": "week"},
        "measures": [{"function": "COUNT", "as": "n"}],
    }
    widget = {"dashboardId": board, "title": "weeks", "kind": "LINE", "datasetId": "@nyc", "tableName": "flights"}
    await made(nyc, "GenDashboardWidget", {**widget, "query": query})
    control = {"dashboardId": board, "name": "when", "kind": "TIME_RANGE", "operator": "BETWEEN"}
    await made(nyc, "GenDashboardControl", {**control, "columnName": "time_hour"})
    wrong = {**query, "over": {**query["over"], "timeZone": "Mars"}}  # type: ignore[dict-item]
    done = await nyc.do("ann", "genDashboardWidgetCreate", {**widget, "query": wrong})
    assert (done["__typename"], done["field"]) == ("InvalidInput", "query")
    document = """query Board($id: ID!, $filters: [GenFilterValue!]) { gen { dashboard(id: $id) { widgets { nodes {
      answer(filters: $filters) { rows timeZone } } } } } }"""
    given = {"id": board, "filters": [{"name": "when", "value": [local(2013, 3, 3), local(2013, 4, 7)]}]}
    answer = await asked(nyc, "ann", document, given)
    assert not answer.errors
    (found,) = (node["answer"] for node in answer.data["gen"]["dashboard"]["widgets"]["nodes"])
    bucket = Bucket("time_hour", Unit.WEEK, ZONE, WeekStart.SUNDAY)
    expected = Counter(text(bucket_of(at, bucket)) for at, _ in departures)
    weeks = [local(2013, 3, 3), local(2013, 3, 10), local(2013, 3, 17), local(2013, 3, 24), local(2013, 3, 31)]
    assert found["rows"] == [{"week": week, "n": expected[week]} for week in weeks]
    assert found["timeZone"] == ZONE


MANY = """
query Many($id: ID!, $first: Int) { gen { dataset(id: $id) { table(name: "flights") {
  aggregate(%s groupBy: ["carrier", "flight", "dest"], first: $first, measures: [{function: COUNT, as: "n"}])
} } } }
"""
BY_HOUR = 'over: {column: "time_hour", unit: HOUR, timeZone: "UTC"},'


@pytest.mark.parametrize("over", [BY_HOUR, ""])
async def test_more_groups_than_are_shown_are_told(flown: World, over: str) -> None:
    whole = await asked(flown, "ann", MANY % over, {"id": "@nyc"})
    assert [error["code"] for error in whole.errors] == ["PAGE_TOO_LARGE"]
    assert "more than 10000 groups" in whole.errors[0]["message"]
    cut = await asked(flown, "ann", MANY % over, {"id": "@nyc", "first": 10_000})
    assert cut.errors == []
    assert len(cut.data["gen"]["dataset"]["table"]["aggregate"]) == 10_000


@pytest.mark.parametrize("own", [{}, {"from": local(2013, 3, 1), "to": local(2013, 4, 1)}])
async def test_a_widget_that_compares_the_range_of_a_filter(
    nyc: World, departures: list[tuple[datetime, str]], own: dict[str, str]
) -> None:
    """The filter moves to the earlier range with it, whether it is the widget's range or stands beside one."""
    board = await made(nyc, "GenDashboard", {"name": "Compared", "timeZone": ZONE})
    over = {"column": "time_hour", "unit": "DAY", "compare": "PREVIOUS_PERIOD", "as": "day", **own}
    query = {"over": over, "measures": [{"function": "COUNT", "as": "n"}]}
    widget = {"dashboardId": board, "title": "days", "kind": "LINE", "datasetId": "@nyc", "tableName": "flights"}
    await made(nyc, "GenDashboardWidget", {**widget, "query": query})
    control = {"dashboardId": board, "name": "when", "kind": "TIME_RANGE", "operator": "BETWEEN"}
    await made(nyc, "GenDashboardControl", {**control, "columnName": "time_hour"})
    document = """query Board($id: ID!, $filters: [GenFilterValue!]) { gen { dashboard(id: $id) { widgets { nodes {
      answer(filters: $filters) { rows } } } } } }"""
    given = {"id": board, "filters": [{"name": "when", "value": [local(2013, 3, 5), local(2013, 3, 7)]}]}
    answer = await asked(nyc, "ann", document, given)
    assert not answer.errors
    (found,) = (node["answer"]["rows"] for node in answer.data["gen"]["dashboard"]["widgets"]["nodes"])
    expected = Counter(text(bucket_of(at, Bucket("time_hour", Unit.DAY, ZONE))) for at, _ in departures)
    back = 31 if own else 2
    at = ZoneInfo(ZONE)
    days = [datetime(2013, 3, day, tzinfo=at) for day in (5, 6)]
    earlier = [text(day - timedelta(days=back)) for day in days]
    assert found == [
        {"day": text(day), "n": expected[text(day)], "compared": {"day": before, "n": expected[before]}}
        for day, before in zip(days, earlier, strict=True)
    ]
