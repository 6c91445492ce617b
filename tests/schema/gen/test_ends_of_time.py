"""Dates and instants at the first and last years of an engine, in buckets of time, on two engines."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from gateway.settings import Settings
from loaders.clickhouse.client import ClickHouse
from loaders.ledger import Ledger
from tests.clickhouse_source import source_settings
from tests.conformance.subjects.s3_parquet import S3ParquetSubject, S3Server
from tests.resolvers.gen.conftest import GenStores
from tests.schema.gen.new_york import Answer, add_source, asked, made
from tests.schema.gen.world import World

DATABASE = "axion_ends_of_time"
AGGREGATE = """query Ends($id: ID!, $over: GenTimeBucket!) { gen { dataset(id: $id) { table(name: "ends") {
  aggregate(over: $over, measures: [{function: COUNT, as: "n"}])
} } } }"""
METRIC = """query Sums($id: ID!, $name: String!, $time: GenMetricTime!) { gen { dataset(id: $id) { metric(name: $name) {
  aggregate(time: $time)
} } } }"""


class Lake(S3ParquetSubject):
    bucket = "axion-ends-of-time"


def rows(first: int, last: int) -> pa.Table:
    """The first and the last day of these years, and its first and last hour."""
    days = [date(first, 1, 1), date(last, 12, 31)]
    times = [datetime(first, 1, 1, tzinfo=UTC), datetime(last, 12, 31, 23, 30, tzinfo=UTC)]
    return pa.table({"day": pa.array(days, pa.date32()), "at": pa.array(times, pa.timestamp("us", "UTC"))})


@pytest.fixture
async def ends(
    request: pytest.FixtureRequest, world: World, stores: GenStores, clickhouse_client: ClickHouse, settings: Settings
) -> World:
    """The world with the dataset `ends`: of ClickHouse from 1900 to 2299, of Parquet files from 1 to 9999."""
    if request.param == "clickhouse":
        for statement in (
            f"CREATE DATABASE IF NOT EXISTS {DATABASE}",
            f"CREATE OR REPLACE TABLE {DATABASE}.ends (day Date32, at DateTime64(6, 'UTC')) ENGINE = Memory",
        ):
            await clickhouse_client.command(statement, ledger=Ledger())
        await clickhouse_client.insert_arrow(f"{DATABASE}.ends", rows(1900, 2299), ledger=Ledger())
        given: Mapping[str, object] = source_settings(settings, DATABASE)
    else:
        server: S3Server = request.getfixturevalue("s3")
        subject = Lake(server)
        await subject.prepare()
        await subject.load("ends", rows(1, 9999))
        given = subject.settings()
    added = await add_source(world, stores, source="ends", dataset="ends", settings=given, connector=request.param)
    return replace(added, ids={**added.ids, "id": added.ids["ends"]})


EACH = pytest.mark.parametrize("ends", ["clickhouse", "s3_parquet"], indirect=True)


def codes(answer: Answer) -> list[str]:
    return [error["code"] for error in answer.errors]


async def over(world: World, **over: Any) -> Answer:
    return await asked(world, "ann", AGGREGATE, {"id": "@ends", "over": over})


def buckets(answer: Answer) -> list[tuple[str, Any]]:
    assert not answer.errors, answer.errors
    return [(next(iter(row.values())), row["n"]) for row in answer.data["gen"]["dataset"]["table"]["aggregate"]]


@EACH
async def test_gaps_at_the_ends_of_the_years(ends: World) -> None:
    last = {"column": "at", "from": "9999-12-30T00:00:00Z", "to": "9999-12-31T23:59:59Z", "fill": "ZERO"}
    first = {"column": "at", "from": "0001-01-01T00:00:00Z", "to": "0001-01-03T00:00:00Z", "fill": "ZERO"}
    assert [day for day, _ in buckets(await over(ends, unit="DAY", **last))] == [
        "9999-12-30T00:00:00+00:00",
        "9999-12-31T00:00:00+00:00",
    ]
    assert len(buckets(await over(ends, unit="HOUR", **last))) == 48
    assert [year for year, _ in buckets(await over(ends, unit="YEAR", **last))] == ["9999-01-01T00:00:00+00:00"]
    assert len(buckets(await over(ends, unit="DAY", **first))) == 2
    days = {"column": "day", "unit": "DAY", "from": "9999-12-30", "to": "9999-12-31", "fill": "NULL"}
    assert [day for day, _ in buckets(await over(ends, **days))] == ["9999-12-30"]
    for zone, more in (
        ("America/New_York", first),
        ("Asia/Tokyo", first),
        ("Asia/Tokyo", last),
        ("UTC", first | {"weekStart": "SUNDAY"}),
        ("UTC", first | {"compare": "PREVIOUS_PERIOD"}),
        ("UTC", first | {"compare": "PREVIOUS_YEAR"}),
    ):
        assert codes(await over(ends, unit="WEEK", timeZone=zone, **more)) == ["BAD_USER_INPUT"], (zone, more)


@EACH
async def test_hours_of_dates(ends: World) -> None:
    day = {"column": "day", "unit": "HOUR", "from": "2013-01-01", "to": "2013-01-03"}
    for more in ({}, {"fill": "ZERO"}, {"compare": "PREVIOUS_PERIOD"}, {"compare": "PREVIOUS_YEAR"}):
        assert codes(await over(ends, **day, **more)) == ["BAD_USER_INPUT"], more


@EACH
async def test_sums_through_time(ends: World, request: pytest.FixtureRequest) -> None:
    simple = {
        "datasetId": "@ends",
        "kind": "SIMPLE",
        "tableName": "ends",
        "definition": {"measure": {"function": "COUNT"}},
    }
    for column in ("at", "day"):
        name = f"n_{column}"
        await made(
            ends, "GenSemanticMetric", {**simple, "name": name, "title": name, "timeColumn": column}, user="admin"
        )
        for sums, span in (
            ("hours", {"window": {"count": 36, "unit": "HOUR"}}),
            ("years", {"window": {"count": 10_000, "unit": "YEAR"}}),
            ("ever", {}),
        ):
            given = {"datasetId": "@ends", "kind": "CUMULATIVE", "timeColumn": column, "title": sums}
            definition = {"metric": name, **span}
            await made(
                ends, "GenSemanticMetric", {**given, "name": f"{sums}_{column}", "definition": definition}, user="admin"
            )
    in_day = {"unit": "DAY", "from": "9999-12-30", "to": "9999-12-31"}
    in_at = {"unit": "DAY", "from": "9999-12-30T00:00:00Z", "to": "9999-12-31T23:59:59Z"}
    before = {"unit": "DAY", "from": "0001-01-01", "to": "0001-01-03"}
    early = {"unit": "DAY", "from": "0001-01-01T00:00:00Z", "to": "0001-01-03T00:00:00Z"}
    of_year_1 = request.node.callspec.params["ends"] == "s3_parquet"
    for name, time, expected in (
        ("years_at", in_at, [1, 2] if of_year_1 else [2, 2]),
        ("years_day", in_day, [1] if of_year_1 else [2]),
        ("ever_at", early, [1, 1] if of_year_1 else []),
        ("years_day", before, [1, 1] if of_year_1 else []),
        ("hours_at", early, [1, 1] if of_year_1 else []),
    ):
        answer = await asked(ends, "ann", METRIC, {"id": "@ends", "name": name, "time": time})
        assert not answer.errors, (name, answer.errors)
        assert [row[name] for row in answer.data["gen"]["dataset"]["metric"]["aggregate"]] == expected, (name, time)
    for name, time, code in (("hours_day", in_day, "BAD_USER_INPUT"), ("ever_at", {"unit": "DAY"}, "PAGE_TOO_LARGE")):
        answer = await asked(ends, "ann", METRIC, {"id": "@ends", "name": name, "time": time})
        assert codes(answer) == [code], name
