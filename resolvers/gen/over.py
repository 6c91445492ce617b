"""Groups in buckets of time: which buckets, over which range, how gaps are filled, and which range they are compared
with.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from zoneinfo import ZoneInfo

from loaders.calendar import Moment, before, shifted, shifted_end, starts, truncated
from loaders.description import Column, Table
from loaders.errors import BadInput, PageTooLarge
from loaders.expression import expression_type
from loaders.read import And, Bucket, Col, Compare, Not, Op, Or, Predicate, Unit, WeekStart
from resolvers.gen.group_read import MAX_GROUPS
from resolvers.gen.row_filter import typed_value
from resolvers.gen.rows import column_of

_ENDS = {Op.LT: Op.LT, Op.LTE: Op.LT, Op.GT: Op.GTE, Op.GTE: Op.GTE}
"""The operator of a condition whose day does not exist in the earlier range (29 February), by the original operator."""


class Fill(StrEnum):
    """How buckets without rows are filled."""

    NULL = "null"
    ZERO = "zero"
    PREVIOUS = "previous"


class Comparison(StrEnum):
    """Which earlier range of the same length to compare with."""

    PREVIOUS_PERIOD = "previous_period"
    PREVIOUS_YEAR = "previous_year"


@dataclass(frozen=True, slots=True)
class Over:
    """`bucket`, under the name `key`, of rows from `first` (inclusive) to `end` (exclusive). A comparison
    needs both.
    """

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

    def start(self, moment: Moment) -> Moment:
        """The start of the bucket that contains the moment."""
        return truncated(moment, self.bucket.unit, self.zone, self.bucket.week_start)

    @property
    def last(self) -> Moment | None:
        """The last moment before `end`."""
        return None if self.end is None else before(self.end)

    def moments(self, first: Moment, last: Moment) -> list[Moment]:
        """The starts of the buckets from `first` to `last`. `PageTooLarge` for more buckets than can be answered."""
        found = starts(first, last, self.bucket.unit, self.zone, self.bucket.week_start)
        moments = list(islice(found, MAX_GROUPS + 1))
        if len(moments) > MAX_GROUPS:
            raise PageTooLarge(f"From {first} to {last} are more than {MAX_GROUPS} buckets. Take a longer unit.")
        return moments

    def earlier(self) -> "Earlier":
        """The earlier range. `ValueError` without a comparison."""
        if self.compare is None or self.first is None or self.last is None:
            raise ValueError("compared with nothing")
        unit, count = Unit.YEAR, 1
        if self.compare is Comparison.PREVIOUS_PERIOD:
            unit, count = self.bucket.unit, len(self.moments(self.first, self.last))
        elif self.bucket.unit is Unit.WEEK:
            unit, count = Unit.WEEK, 52  # so that a week is compared with a whole one
        return Earlier(self, unit, count)


@dataclass(frozen=True, slots=True)
class Earlier:
    """The range that `over` is compared with, `count` units before it."""

    over: Over
    unit: Unit
    count: int

    def range(self) -> Over:
        over = self.over
        assert over.first is not None
        assert over.end is not None
        return Over(over.bucket, over.key, self._end(over.first)[0], self._end(over.end)[0])

    def condition(self, where: Predicate | None) -> Predicate | None:
        """The condition for rows of the earlier range: comparisons with the time column are shifted with the range."""
        match where:
            case And(terms):
                return And(tuple(self.condition(term) or And(()) for term in terms))
            case Or(terms):
                return Or(tuple(self.condition(term) or And(()) for term in terms))
            case Not(term):
                return Not(self.condition(term) or And(()))
            case Compare(Col(name), op, value) if name == self.over.bucket.column and op is not Op.IS_NULL:
                return self._compare(op, value)
            case _:
                return where

    def _compare(self, op: Op, value: object) -> Predicate:
        column = Col(self.over.bucket.column)
        if op in _ENDS:
            moved, is_there = self._end(_exact(value))
            return Compare(column, op if is_there else _ENDS[op], moved)
        values = value if isinstance(value, tuple) else (value,)
        ends = [self._end(_exact(each)) for each in values]
        there = tuple(moved for moved, is_there in ends if is_there)
        return Compare(column, Op.IN if op in (Op.EQ, Op.IN) else Op.NOT_IN, there)

    def bucket_of(self, start: Moment) -> Moment | None:
        """The bucket that a bucket is compared with; None for 29 February, which the year before does not have."""
        zone, bucket = self.over.zone, self.over.bucket
        back = shifted(start, self.unit, -self.count, zone)
        if truncated(shifted(back, self.unit, self.count, zone), bucket.unit, zone, bucket.week_start) != start:
            return None
        return truncated(back, bucket.unit, zone, bucket.week_start)

    def _end(self, moment: Moment) -> tuple[Moment, bool]:
        return shifted_end(moment, self.unit, -self.count, self.over.zone)


def _exact(value: object) -> Moment:
    if not isinstance(value, Moment):
        raise BadInput("With `compare`, conditions on the column of time are no finer than a microsecond. Round them.")
    return value


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
    """`first` and `end` are written as rows return the column. `BadInput` for values that do not fit it."""
    described, bucket = column_of(table, column), Bucket(column, unit, time_zone, week_start)
    expression_type(bucket, table)
    if compare is not None and (first is None or end is None):
        raise BadInput("A range that is compared has both ends. Give `from` and `to`.")
    begins, ends = _moment(first, described), _moment(end, described)
    if begins is not None and ends is not None and not begins < ends:
        raise BadInput("`from` is not before `to`.")
    return Over(bucket, key or column, begins, ends, fill, compare)


def _moment(text: str | None, column: Column) -> Moment | None:
    if text is None:
        return None
    value = typed_value(text, column)
    if not isinstance(value, Moment):
        raise BadInput(f"{text!r} is no moment of column {column.name!r}: a date, or an instant to the microsecond.")
    assert not isinstance(value, datetime) or value.tzinfo is not None
    return value
