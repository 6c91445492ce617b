"""Buckets around the hours at which clocks change, against Python's zones."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from loaders.description import Column, ColumnType, Kind, Table
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
    Masked,
    Measure,
    Op,
    Read,
    Unit,
)
from tests.loaders.buckets import DATES, INSTANTS, ZONES, bucket_of
from tests.loaders.postgres.reading import run
from tests.loaders.postgres.rows import instant

COLUMNS = (Column("at", ColumnType(Kind.TIMESTAMP)), Column("day", ColumnType(Kind.DATE)))
MOMENTS = Table("scratch", "public", "moments", COLUMNS)
SUNDAY = datetime(2013, 11, 3, 4, tzinfo=UTC)
"""Of 25 hours in Havana, from the first of its two midnights."""


@pytest.fixture(scope="module")
async def moments(scratch_url: str) -> AsyncIterator[None]:
    connection = await asyncpg.connect(scratch_url)
    await connection.execute("CREATE TABLE moments (at timestamptz, day date)")
    await connection.executemany("INSERT INTO moments (at) VALUES ($1)", [(at,) for at in INSTANTS])
    await connection.executemany("INSERT INTO moments (day) VALUES ($1)", [(day,) for day in DATES])
    yield
    await connection.execute("DROP TABLE moments")
    await connection.close()


async def _counts(bucket: Bucket, postgres: Postgres) -> list[tuple[str | None, int]]:
    part = Aggregate((bucket,), (("key", bucket), ("count", Measure(AggregateFunction.COUNT))))
    groups = (await run(Read(MOMENTS, connection=Connection((("groups", part),))), postgres))["groups"]
    return [(group["key"], group["count"]) for group in groups]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("unit", Unit)
async def test_instants(unit: Unit, zone: str, postgres: Postgres, moments: None) -> None:
    bucket = Bucket("at", unit, zone)
    expected = Counter(bucket_of(at, bucket) for at in INSTANTS)
    found = await _counts(bucket, postgres)
    assert found == [(instant(start), expected[start]) for start in sorted(expected)] + [(None, len(DATES))]


@pytest.mark.parametrize("unit", [unit for unit in Unit if unit not in CLOCK_UNITS])
async def test_dates(unit: Unit, postgres: Postgres, moments: None) -> None:
    bucket = Bucket("day", unit)
    expected = Counter(bucket_of(day, bucket) for day in DATES)
    found = await _counts(bucket, postgres)
    assert found == [(str(start), expected[start]) for start in sorted(expected)] + [(None, len(INSTANTS))]


async def test_masked_and_measured(postgres: Postgres, moments: None) -> None:
    """Midnight comes twice in Havana: shown as a key, under a mask and as a measure it is the first of them."""
    bucket = Bucket("at", Unit.DAY, "America/Havana")
    masked = Masked(bucket, "day", (DATES[0],))
    extremes = (("least", Measure(AggregateFunction.MIN, bucket)), ("most", Measure(AggregateFunction.MAX, bucket)))
    where = And((Compare(Col("at"), Op.GTE, SUNDAY), Compare(Col("at"), Op.LT, SUNDAY + timedelta(hours=20))))
    shown = Aggregate((bucket,), (("key", bucket), *extremes))
    hidden = Aggregate((masked,), (("key", masked),))
    read = Read(MOMENTS, connection=Connection((("shown", shown), ("hidden", hidden))), where=where)
    at = instant(SUNDAY)
    assert await run(read, postgres) == {"shown": [{"key": at, "least": at, "most": at}], "hidden": [{"key": None}]}
