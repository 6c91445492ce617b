"""Units of time against the naive interpreter's, around the hours at which clocks change."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from loaders.calendar import before, shifted, starts, truncated
from loaders.expression import CLOCK_UNITS
from loaders.read import Bucket, Unit, WeekStart
from tests.loaders.buckets import DATES, INSTANTS, ZONES, bucket_of

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")


@pytest.mark.parametrize("week_start", WeekStart)
@pytest.mark.parametrize("unit", Unit)
def test_truncated(unit: Unit, week_start: WeekStart) -> None:
    for zone in ZONES:
        bucket = Bucket("at", unit, zone, week_start)
        for at in INSTANTS:
            assert truncated(at, unit, ZoneInfo(zone), week_start) == bucket_of(at, bucket), (at, zone)
        if unit not in CLOCK_UNITS:
            for day in DATES:
                assert truncated(day, unit, ZoneInfo(zone), week_start) == bucket_of(day, bucket)


@pytest.mark.parametrize("unit", [Unit.MINUTE, Unit.HOUR, Unit.DAY, Unit.WEEK, Unit.MONTH, Unit.QUARTER, Unit.YEAR])
@pytest.mark.parametrize("zone", ZONES)
def test_starts_are_those_of_all_moments_between(unit: Unit, zone: str) -> None:
    """Every minute of a span around each change of clocks falls into one of them, and none is empty."""
    span = timedelta(days=3) if unit in CLOCK_UNITS else timedelta(days=45)
    step = timedelta(minutes=1) if unit in CLOCK_UNITS else timedelta(minutes=30)
    for at in INSTANTS[::24]:
        end = at + span
        moments = [at + count * step for count in range(int(span / step))]
        expected = sorted({bucket_of(moment, Bucket("at", unit, zone)) for moment in moments})
        assert list(starts(at, before(end), unit, ZoneInfo(zone))) == expected, at


@pytest.mark.parametrize(("day", "hours"), [((2024, 3, 31), 23), ((2024, 10, 27), 25), ((2024, 6, 1), 24)])
def test_days_of_23_and_25_hours(day: tuple[int, int, int], hours: int) -> None:
    first = datetime(*day, tzinfo=BERLIN)
    end = datetime.combine(first.date() + timedelta(days=1), first.timetz())
    assert len(list(starts(first, before(end), Unit.HOUR, BERLIN))) == hours
    assert list(starts(first, before(end), Unit.DAY, BERLIN)) == [first]


@pytest.mark.parametrize(
    ("moment", "unit", "count", "expected"),
    [
        (date(2024, 3, 31), Unit.MONTH, -1, date(2024, 2, 29)),
        (date(2024, 2, 29), Unit.YEAR, -1, date(2023, 2, 28)),
        (date(2024, 1, 15), Unit.QUARTER, 4, date(2025, 1, 15)),
        (date(2024, 1, 1), Unit.WEEK, -52, date(2023, 1, 2)),
        (datetime(2024, 3, 31, tzinfo=BERLIN), Unit.DAY, 1, datetime(2024, 3, 31, 22, tzinfo=UTC)),
        (datetime(2024, 3, 31, tzinfo=BERLIN), Unit.HOUR, 24, datetime(2024, 3, 31, 23, tzinfo=UTC)),
        (datetime(2013, 12, 1, tzinfo=NEW_YORK), Unit.MONTH, -6, datetime(2013, 6, 1, 4, tzinfo=UTC)),
    ],
)
def test_shifted(moment: date, unit: Unit, count: int, expected: date) -> None:
    assert shifted(moment, unit, count, BERLIN if count in (1, 24) else NEW_YORK) == expected
