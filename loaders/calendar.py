"""Units of time by a zone's clocks, in Python: what a `Bucket` is in a store, and how buckets follow one another.

An instant is an aware datetime, answered in UTC; a date is a date, whatever the zone. Midnights that a change of clocks
skips begin with the first instant after them; an hour that is repeated is two. Years are 1 to 9999, by UTC and by the
zone's clocks: what leads out of them is `OutsideYears`.
"""

from calendar import monthrange
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from loaders.errors import BadInput
from loaders.read import Unit, WeekStart

Moment: TypeAlias = date
"""A date, or an aware datetime (which is one, to Python)."""

_CLOCK = {Unit.SECOND: timedelta(seconds=1), Unit.MINUTE: timedelta(minutes=1), Unit.HOUR: timedelta(hours=1)}
_DAYS = {Unit.DAY: 1, Unit.WEEK: 7}
_MONTHS = {Unit.MONTH: 1, Unit.QUARTER: 3, Unit.YEAR: 12}
_EPOCH = datetime(1900, 1, 1)


class OutsideYears(BadInput):
    """A moment that no answer can tell."""


@contextmanager
def within_years() -> Iterator[None]:
    """What Python raises for a moment that it has not, as `OutsideYears`."""
    try:
        yield
    except (ValueError, OverflowError) as error:
        raise OutsideYears("It leads out of the years 1 to 9999, by UTC or the zone's clocks. Narrow it.") from error


def truncated(moment: Moment, unit: Unit, zone: ZoneInfo, week_start: WeekStart = WeekStart.MONDAY) -> Moment:
    """The first moment of the unit it lies in."""
    with within_years():
        if not isinstance(moment, datetime):
            return _first_date(moment, unit, week_start)
        local = moment.astimezone(zone)
        if unit in _CLOCK:
            return moment.astimezone(UTC) - (local.replace(tzinfo=None) - _EPOCH) % _CLOCK[unit]
        return _midnight(_first_date(local.date(), unit, week_start), zone)


def shifted(moment: Moment, unit: Unit, count: int, zone: ZoneInfo) -> Moment:
    """So many units later: hours pass, days and months keep the clock's time. The last day where a month is too short.

    Dates are shifted by units of days and longer ones.
    """
    with within_years():
        if not isinstance(moment, datetime):
            return _shifted_date(moment, unit, count)
        if unit in _CLOCK:
            return moment.astimezone(UTC) + count * _CLOCK[unit]
        local = moment.astimezone(zone)
        day = _shifted_date(local.date(), unit, count)
        return datetime.combine(day, local.time(), zone).astimezone(UTC)


def shifted_end(moment: Moment, unit: Unit, count: int, zone: ZoneInfo) -> tuple[Moment, bool]:
    """As `shifted`, of where a range begins or ends, and whether its day is there. Where a month is too short for it,
    that is the end of the month's last day: up to before the 30th is up to before the first of March.
    """
    with within_years():
        local = moment.astimezone(zone).date() if isinstance(moment, datetime) else moment
        if unit not in _MONTHS or _shifted_date(local, unit, count).day == local.day:
            return shifted(moment, unit, count, zone), True
        following = _shifted_date(local, unit, count) + timedelta(days=1)
        return _midnight(following, zone) if isinstance(moment, datetime) else following, False


def starts(
    first: Moment, last: Moment, unit: Unit, zone: ZoneInfo, week_start: WeekStart = WeekStart.MONDAY
) -> Iterator[Moment]:
    """The starts of the units from the one `first` lies in to the one `last` lies in."""
    if isinstance(last, datetime):
        with within_years():
            last.astimezone(zone)  # so that a start the zone's clocks have not comes after it
    start: Moment | None = truncated(first, unit, zone, week_start)
    while start is not None and start <= last:
        yield start
        start = _following(start, unit, zone, week_start)


def before(end: Moment) -> Moment:
    """The last moment of a range that ends before `end`."""
    with within_years():
        return end - (timedelta(microseconds=1) if isinstance(end, datetime) else timedelta(days=1))


def _following(start: Moment, unit: Unit, zone: ZoneInfo, week_start: WeekStart) -> Moment | None:
    """The unit's next start; None after the year 9999."""
    try:
        return _next(start, unit, zone, week_start)
    except (ValueError, OverflowError, OutsideYears):
        return None


def _next(start: Moment, unit: Unit, zone: ZoneInfo, week_start: WeekStart) -> Moment:
    """Where clocks change by less than the unit, the unit's next start is less than a unit away, or more."""
    if unit not in _CLOCK:
        if not isinstance(start, datetime):
            return _shifted_date(start, unit, 1)
        local = start.astimezone(zone).date()
        return _midnight(_shifted_date(_first_date(local, unit, week_start), unit, 1), zone)
    assert isinstance(start, datetime)
    later = start
    while True:
        later += _CLOCK[unit]
        found = truncated(later, unit, zone, week_start)
        if found > start:
            return found


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _first_date(day: date, unit: Unit, week_start: WeekStart) -> date:
    match unit:
        case Unit.WEEK:
            return day - timedelta(days=(day.weekday() + week_start.before_monday) % 7)
        case Unit.MONTH:
            return day.replace(day=1)
        case Unit.QUARTER:
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case Unit.YEAR:
            return day.replace(month=1, day=1)
        case _:
            return day


def _shifted_date(day: date, unit: Unit, count: int) -> date:
    if unit in _DAYS:
        return day + timedelta(days=count * _DAYS[unit])
    month = day.year * 12 + day.month - 1 + count * _MONTHS[unit]
    year, index = divmod(month, 12)
    first = date(year, index + 1, 1)
    return first.replace(day=min(day.day, monthrange(year, index + 1)[1]))
