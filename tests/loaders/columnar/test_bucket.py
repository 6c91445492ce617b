"""Buckets around the hours at which clocks change, against Python's zones."""

from collections import Counter
from collections.abc import Iterator

import orjson
import pytest

from loaders.columnar.binder import Binder
from loaders.columnar.connection import read_connection
from loaders.description import Column, ColumnType, Kind, Table
from loaders.expression import CLOCK_UNITS
from loaders.ledger import Ledger
from loaders.read import Aggregate, AggregateFunction, Bucket, Connection, Measure, Read, Unit, WeekStart
from tests.loaders.buckets import DATES, INSTANTS, ZONES, bucket_of
from tests.loaders.columnar.sources import Engine
from tests.loaders.postgres.rows import instant

COLUMNS = (Column("at", ColumnType(Kind.TIMESTAMP)), Column("day", ColumnType(Kind.DATE)))
MOMENTS = Table("datasource:test", "moments", "moments", COLUMNS)
_CREATE = {
    "clickhouse": "CREATE TABLE moments.moments (at Nullable(DateTime64(6, 'UTC')), day Nullable(Date32)) "
    "ENGINE = MergeTree ORDER BY tuple()",
    "duckdb": 'CREATE TABLE moments.moments ("at" TIMESTAMPTZ, day DATE)',
}
_CREATE_DATABASE = {"clickhouse": "CREATE DATABASE moments", "duckdb": "CREATE SCHEMA moments"}
_DROP = {"clickhouse": "DROP DATABASE moments", "duckdb": "DROP SCHEMA moments CASCADE"}


@pytest.fixture
def moments(engine: Engine) -> Iterator[Engine]:
    engine.execute(_CREATE_DATABASE[engine.name])
    engine.execute(_CREATE[engine.name])
    zone = "" if engine.name == "clickhouse" else "+00"
    rows = [f"('{at:%Y-%m-%d %H:%M:%S.%f}{zone}', NULL)" for at in INSTANTS] + [f"(NULL, '{day}')" for day in DATES]
    engine.execute(f"INSERT INTO moments.moments VALUES {', '.join(rows)}")
    yield engine
    engine.execute(_DROP[engine.name])


async def _counts(bucket: Bucket, engine: Engine) -> list[tuple[str | None, int]]:
    part = Aggregate((bucket,), (("key", bucket), ("count", Measure(AggregateFunction.COUNT))))
    read = Read(MOMENTS, connection=Connection((("groups", part),)))
    groups = orjson.loads(await read_connection(read, engine, Ledger()))["groups"]
    return [(group["key"], group["count"]) for group in groups]


@pytest.mark.parametrize("unit", Unit)
async def test_instants(unit: Unit, moments: Engine) -> None:
    for zone in ZONES:
        bucket = Bucket("at", unit, zone)
        expected = Counter(bucket_of(at, bucket) for at in INSTANTS)
        found = await _counts(bucket, moments)
        assert found == [(instant(start), expected[start]) for start in sorted(expected)] + [(None, len(DATES))], zone


@pytest.mark.parametrize("week_start", WeekStart)
async def test_weeks(week_start: WeekStart, moments: Engine) -> None:
    for zone in ZONES:
        bucket = Bucket("at", Unit.WEEK, zone, week_start)
        expected = Counter(bucket_of(at, bucket) for at in INSTANTS)
        found = await _counts(bucket, moments)
        assert found == [(instant(start), expected[start]) for start in sorted(expected)] + [(None, len(DATES))], zone
    bucket = Bucket("day", Unit.WEEK, week_start=week_start)
    days = Counter(bucket_of(day, bucket) for day in DATES)
    assert await _counts(bucket, moments) == [(str(day), days[day]) for day in sorted(days)] + [(None, len(INSTANTS))]


async def test_weeks_are_short(engine: Engine) -> None:
    """Whatever day they begin on: the expression stands in a statement several times."""
    shown = {
        start: Binder(engine.dialect, MOMENTS).expression(Bucket("at", Unit.WEEK, "Europe/Berlin", start))
        for start in WeekStart
    }
    lengths = [len(each.sql(dialect=engine.dialect.name)) for each in shown.values()]
    assert max(lengths) < 2 * min(lengths) < 1_500


@pytest.mark.parametrize("unit", [unit for unit in Unit if unit not in CLOCK_UNITS])
async def test_dates(unit: Unit, moments: Engine) -> None:
    bucket = Bucket("day", unit)
    expected = Counter(bucket_of(day, bucket) for day in DATES)
    found = await _counts(bucket, moments)
    assert found == [(str(start), expected[start]) for start in sorted(expected)] + [(None, len(INSTANTS))]
