"""Groups that follow one another through time: which buckets, from when to when, how gaps are filled, what with they
are compared."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from zoneinfo import ZoneInfo

from loaders.calendar import Moment, shifted, starts, truncated
from loaders.description import Column, Table
from loaders.errors import BadInput, PageTooLarge
from loaders.read import And, Bucket, Col, Compare, Op, Predicate, Unit, WeekStart
from resolvers.gen.rows import MAX_GROUPS, column_of, typed_value


class Fill(StrEnum):
    """What stands in a bucket without rows."""

    NULL = "null"
    ZERO = "zero"
    PREVIOUS = "previous"


class Comparison(StrEnum):
    """An earlier range of the same length."""

    PREVIOUS_PERIOD = "previous_period"
    PREVIOUS_YEAR = "previous_year"


@dataclass(frozen=True, slots=True)
class Over:
    """`bucket` under the name `key`, of rows from `first` until before `end`. A comparison has both."""

    bucket: Bucket
    key: str
    first: Moment | None = None
    end: Moment | None = None
    fill: Fill | None = None
    compare: Comparison | None = None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.bucket.time_zone)

    def range(self) -> Predicate | None:
        ends = ((Op.GTE, self.first), (Op.LT, self.end))
        terms = tuple(Compare(Col(self.bucket.column), op, end) for op, end in ends if end is not None)
        return And(terms) if terms else None

    def moments(self, first: Moment, end: Moment) -> list[Moment]:
        """The starts of the buckets. `PageTooLarge` for more than are answered."""
        found = starts(first, end, self.bucket.unit, self.zone, self.bucket.week_start)
        moments = list(islice(found, MAX_GROUPS + 1))
        if len(moments) > MAX_GROUPS:
            raise PageTooLarge(f"From {first} to {end} are more than {MAX_GROUPS} buckets. Take a longer unit.")
        return moments

    def earlier(self) -> "Earlier":
        """`ValueError` unless it is compared."""
        if self.compare is None or self.first is None or self.end is None:
            raise ValueError("compared with nothing")
        unit, count = Unit.YEAR, 1
        if self.compare is Comparison.PREVIOUS_PERIOD:
            unit, count = self.bucket.unit, len(self.moments(self.first, self.end))
        elif self.bucket.unit is Unit.WEEK:
            unit, count = Unit.WEEK, 52  # so that a week is compared with a whole one
        return Earlier(self, unit, count)


@dataclass(frozen=True, slots=True)
class Earlier:
    """The range `over` is compared with, so many units before it."""

    over: Over
    unit: Unit
    count: int

    def range(self) -> Over:
        over = self.over
        assert over.first is not None
        assert over.end is not None
        return Over(over.bucket, over.key, self._back(over.first), self._back(over.end))

    def bucket_of(self, start: Moment) -> Moment | None:
        """The bucket a bucket is compared with: none for the 29th of February, a year before."""
        zone, bucket = self.over.zone, self.over.bucket
        back = self._back(start)
        if truncated(shifted(back, self.unit, self.count, zone), bucket.unit, zone, bucket.week_start) != start:
            return None
        return truncated(back, bucket.unit, zone, bucket.week_start)

    def _back(self, moment: Moment) -> Moment:
        try:
            return shifted(moment, self.unit, -self.count, self.over.zone)
        except (ValueError, OverflowError) as error:
            raise BadInput("The range begins before there is anything to compare it with.") from error


def over(
    table: Table,
    column: str,
    unit: Unit,
    *,
    time_zone: str,
    week_start: WeekStart = WeekStart.MONDAY,
    key: str | None = None,
    first: str | None = None,
    end: str | None = None,
    fill: Fill | None = None,
    compare: Comparison | None = None,
) -> Over:
    """`first` and `end` are written as rows answer the column. `BadInput` for what does not fit it."""
    described = column_of(table, column)
    if compare is not None and (first is None or end is None):
        raise BadInput("A range that is compared has both ends. Give `from` and `to`.")
    begins, ends = _moment(first, described), _moment(end, described)
    if begins is not None and ends is not None and not begins < ends:
        raise BadInput("`from` is not before `to`.")
    return Over(Bucket(column, unit, time_zone, week_start), key or column, begins, ends, fill, compare)


def _moment(text: str | None, column: Column) -> Moment | None:
    if text is None:
        return None
    value = typed_value(text, column)
    if not isinstance(value, Moment):
        raise BadInput(f"{text!r} is no moment of column {column.name!r}: a date, or an instant to the microsecond.")
    assert not isinstance(value, datetime) or value.tzinfo is not None
    return value
