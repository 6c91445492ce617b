"""Departures through time with gaps and an earlier range, and the same by Python's own calendar and time zones."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from loaders.read import Bucket, Unit, WeekStart
from tests.loaders.buckets import bucket_of

ZONE = "America/New_York"
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Series:
    """Departures from `first` to before `end`, dates of New York.

    `quick`: also asked in every run of the engines that take a second or more for each.
    """

    unit: Unit
    first: date
    end: date
    fill: Literal["NULL", "ZERO", "PREVIOUS"] | None = None
    compare: Literal["PREVIOUS_PERIOD", "PREVIOUS_YEAR"] | None = None
    week_start: WeekStart = WeekStart.MONDAY
    quick: bool = False

    def __str__(self) -> str:
        words = (self.unit.name, self.first, self.fill, self.compare)
        return "-".join(str(word).lower() for word in words if word is not None)

    @property
    def over(self) -> dict[str, Any]:
        """As a `GenTimeBucket`."""
        given = {
            "column": "time_hour",
            "as": "at",
            "unit": self.unit.name,
            "timeZone": ZONE,
            "weekStart": self.week_start.name,
            "from": _midnight(self.first).isoformat(),
            "to": _midnight(self.end).isoformat(),
            "fill": self.fill,
            "compare": self.compare,
        }
        return {name: value for name, value in given.items() if value is not None}

    def expected(self, departures: Counter[datetime]) -> list[dict[str, Any]]:
        """`departures` are counted by the hour."""
        bucket = Bucket("time_hour", self.unit, ZONE, self.week_start)
        counts: Counter[datetime] = Counter()
        for hour, count in departures.items():
            counts[bucket_of(hour, bucket)] += count
        starts = list(dict.fromkeys(bucket_of(hour, bucket) for hour in _hours(self.first, self.end)))
        now = self._filled([counts.get(start) for start in starts])
        earlier = [self._earlier(start, len(starts)) for start in starts]
        past = self._filled([counts.get(start) for start in earlier])
        rows = []
        for at, n, then, n_then in zip(starts, now, earlier, past, strict=True):
            row: dict[str, Any] = {"at": at.isoformat(), "n": n}
            if self.compare is not None:
                shown = self.fill is not None or n_then is not None
                row["compared"] = {"at": then.isoformat(), "n": n_then} if shown else None
            if self.fill is not None or n is not None or row.get("compared") is not None:
                rows.append(row)
        return rows

    def _filled(self, counts: Sequence[int | None]) -> list[int | None]:
        last: int | None = None
        filled: list[int | None] = []
        for count in counts:
            last = count if count is not None else last
            filled.append({"ZERO": count or 0, "PREVIOUS": last}.get(self.fill or "", count))
        return filled

    def _earlier(self, start: datetime, buckets: int) -> datetime:
        if self.unit is Unit.HOUR:
            return start - buckets * _HOUR
        day = start.astimezone(ZoneInfo(ZONE)).date()
        months, days = 0, 0
        match self.compare, self.unit:
            case "PREVIOUS_YEAR", Unit.WEEK:
                days = 52 * 7
            case "PREVIOUS_YEAR", _:
                months = 12
            case _, Unit.WEEK:
                days = 7 * buckets
            case _, Unit.MONTH:
                months = buckets
            case _:
                days = buckets
        month = day.year * 12 + day.month - 1 - months
        return _midnight(day.replace(year=month // 12, month=month % 12 + 1) - timedelta(days=days))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


def _hours(first: date, end: date) -> Iterator[datetime]:
    at = _midnight(first)
    while at < _midnight(end):
        yield at
        at += _HOUR


_SHORT_DAY, _LONG_DAY = (date(2013, 3, 10), date(2013, 3, 11)), (date(2013, 11, 3), date(2013, 11, 4))
SERIES = [
    Series(Unit.HOUR, *_SHORT_DAY, "NULL", "PREVIOUS_PERIOD", quick=True),
    Series(Unit.HOUR, date(2013, 3, 9), date(2013, 3, 11), "PREVIOUS", "PREVIOUS_PERIOD"),  # with the night between
    Series(Unit.HOUR, *_LONG_DAY, "ZERO", "PREVIOUS_PERIOD", quick=True),
    Series(Unit.HOUR, *_LONG_DAY, "NULL"),
    Series(Unit.HOUR, *_LONG_DAY, None, "PREVIOUS_PERIOD"),
    Series(Unit.DAY, date(2014, 2, 27), date(2014, 3, 12), "NULL", "PREVIOUS_YEAR"),
    Series(Unit.DAY, date(2013, 12, 30), date(2014, 1, 3), "PREVIOUS", "PREVIOUS_PERIOD"),
    Series(Unit.WEEK, date(2013, 12, 14), date(2014, 1, 18), "ZERO", "PREVIOUS_PERIOD", WeekStart.SATURDAY),
    Series(Unit.WEEK, date(2013, 12, 30), date(2014, 1, 13), None, "PREVIOUS_YEAR"),
    Series(Unit.MONTH, date(2013, 10, 1), date(2014, 3, 1), "NULL", "PREVIOUS_PERIOD"),
]
