"""Truncation to calendar units in Python: the naive interpreter's. And the instants that are hard."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from loaders.read import Bucket, Unit, WeekStart

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Atlantic/Azores",
    "America/Havana",
    "America/Scoresbysund",
)
_TRANSITIONS = (
    datetime(2024, 3, 31, 1, tzinfo=UTC),  # Berlin: a day of 23 hours
    datetime(2024, 10, 27, 1, tzinfo=UTC),  # Berlin: a day of 25 hours, 02:00 to 03:00 twice
    datetime(2024, 11, 3, 6, tzinfo=UTC),  # New York
    datetime(2018, 11, 4, 3, tzinfo=UTC),  # Sao Paulo: midnight does not exist
    datetime(2013, 10, 27, 1, tzinfo=UTC),  # Azores and Scoresbysund: midnight comes twice
    datetime(2013, 11, 3, 5, tzinfo=UTC),  # Havana: a Sunday's midnight comes twice
    datetime(2024, 4, 6, 15, tzinfo=UTC),  # Lord Howe: half an hour
    datetime(2024, 1, 1, tzinfo=UTC),  # a Monday, the first of a year
    datetime(2023, 1, 1, tzinfo=UTC),  # a Sunday, of the last ISO week of 2022
    datetime(1960, 2, 29, 12, tzinfo=UTC),  # before 1970
)
_STEPS = (-90_000, -7_200, -3_600, -1_800, -1, 0, 1, 1_800, 3_600, 5_400, 84_600, 90_000)
INSTANTS = [
    at + timedelta(seconds=step, microseconds=micros)
    for at in _TRANSITIONS
    for step in _STEPS
    for micros in (0, 250_001)
]
DATES = sorted({at.date() for at in INSTANTS})


def bucket_of(value: Any, bucket: Bucket) -> Any:
    """The bucket of an instant or a date; a value Python has none for (infinity) must not be asked."""
    if value is None:
        return None
    if not isinstance(value, datetime):
        return _first_date(value, bucket)
    zone = ZoneInfo(bucket.time_zone)
    local = value.astimezone(zone)
    sizes = {Unit.SECOND: 1, Unit.MINUTE: 60, Unit.HOUR: 3_600}
    if bucket.unit in sizes:
        clock = local.replace(tzinfo=None)
        past = (clock - datetime(1900, 1, 1)) % timedelta(seconds=sizes[bucket.unit])
        return value.astimezone(UTC) - past
    first = _first_date(local.date(), bucket)
    return datetime(first.year, first.month, first.day, tzinfo=zone).astimezone(UTC)


def _first_date(day: date, bucket: Bucket) -> date:
    match bucket.unit:
        case Unit.WEEK:
            first = {WeekStart.MONDAY: 0, WeekStart.SUNDAY: 6, WeekStart.SATURDAY: 5}[bucket.week_start]
            return day - timedelta(days=(day.weekday() - first) % 7)
        case Unit.MONTH:
            return day.replace(day=1)
        case Unit.QUARTER:
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case Unit.YEAR:
            return day.replace(month=1, day=1)
        case _:
            return day
