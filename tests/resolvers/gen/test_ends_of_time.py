"""Every unit, fill, comparison and sum at the first and last years of the calendar: an answer, or an explained error.

Any other exception would be an INTERNAL_ERROR.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from loaders.calendar import Moment, OutsideYears
from loaders.description import Column, ColumnType, Kind, Table
from loaders.encode.value import encode_value
from loaders.errors import BadInput
from loaders.expression import CLOCK_UNITS
from loaders.read import Unit, WeekStart
from resolvers.gen.cumulative import first_needed, require_window, summed_up
from resolvers.gen.metric_definition import Cumulative
from resolvers.gen.over import Comparison, Fill, Over, over
from resolvers.gen.series import Shape, moment_of, series

ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Asia/Tokyo", "Pacific/Kiritimati")
TABLE = Table("s", None, "t", (Column("day", ColumnType(Kind.DATE)), Column("at", ColumnType(Kind.TIMESTAMP))))
_LENGTHS = {
    Unit.SECOND: timedelta(seconds=3),
    Unit.MINUTE: timedelta(minutes=3),
    Unit.HOUR: timedelta(hours=3),
    Unit.DAY: timedelta(days=3),
}
UNITS = [("day", unit) for unit in Unit if unit not in CLOCK_UNITS] + [("at", unit) for unit in Unit]


def ranges(column: str, unit: Unit) -> Iterator[tuple[str | None, str | None]]:
    """At the ends of the years and a little away from them, short enough to be filled."""
    length = _LENGTHS.get(unit, timedelta(days=800))
    if column == "day":
        for first in (date.min, date.min + timedelta(days=40)):
            yield first.isoformat(), (first + length).isoformat()
        for end in (date.max, date.max - timedelta(days=40)):
            yield (end - length).isoformat(), end.isoformat()
    else:
        least, greatest = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
        for start in (least, least + timedelta(hours=30)):
            yield start.isoformat(), (start + length).isoformat()
        for end in (greatest, greatest - timedelta(hours=30)):
            yield (end - length).isoformat(), end.isoformat()
    yield None, None


def asked(column: str, unit: Unit) -> Iterator[Over]:
    for first, end in ranges(column, unit):
        for compare in (None, *(Comparison if first is not None else ())):
            for fill in (None, *Fill):
                for week_start in WeekStart if unit is Unit.WEEK else (WeekStart.MONDAY,):
                    for zone in ZONES if column == "at" else ZONES[:1]:
                        yield over(
                            TABLE,
                            column,
                            unit,
                            time_zone=zone,
                            week_start=week_start,
                            first=first,
                            end=end,
                            fill=fill,
                            compare=compare,
                        )


def rows_at(asked: Over, moments: tuple[Moment, ...]) -> list[dict[str, Any]]:
    """A row in the bucket of each, as a store with the same zones answers them."""
    name = asked.bucket.column
    return [{name: encode_value(start, TABLE.column(name).type), "n": 1} for start in map(asked.start, moments)]


@pytest.mark.parametrize(("column", "unit"), UNITS)
def test_each_answers_or_says_why_not(column: str, unit: Unit) -> None:
    """By UTC's clocks it answers, unless it is compared with what was before the first year or begins with a Sunday."""
    shape = Shape(TABLE.column(column).type, (), {"n": Kind.INTEGER}, "s")
    middle = date(2024, 2, 29) if column == "day" else datetime(2024, 2, 29, tzinfo=UTC)
    for each in asked(column, unit):
        there = (middle,) if each.first is None or each.last is None else (each.first, each.last)
        try:
            earlier = [] if each.compare is None else rows_at(each, (each.earlier().range().first or middle,))
            found = series(each, shape, rows_at(each, there), earlier)
        except OutsideYears:
            sundays = each.bucket.week_start is not WeekStart.MONDAY
            assert each.bucket.time_zone != "UTC" or each.compare is not None or sundays, each
        else:
            assert {row["n"] for row in found} >= {1}, each


@pytest.mark.parametrize(("column", "unit"), UNITS)
def test_the_last_and_the_first_bucket_by_utc_are_filled(column: str, unit: Unit) -> None:
    """Whatever follows the last one, and though nothing is before the first."""
    shape = Shape(TABLE.column(column).type, (), {"n": Kind.INTEGER}, "s")
    for first, end in ranges(column, unit):
        if first is None:
            continue
        each = over(TABLE, column, unit, time_zone="UTC", first=first, end=end, fill=Fill.ZERO)
        assert each.first is not None
        assert each.last is not None
        found = [moment_of(row[column], shape.time) for row in series(each, shape, [])]
        assert (found[0], found[-1]) == (each.start(each.first), each.start(each.last))
        assert all(each.start(start) == start for start in found)


@pytest.mark.parametrize(("column", "unit"), UNITS)
@pytest.mark.parametrize(
    "definition",
    [
        *({"window": {"count": 10_000, "unit": unit}} for unit in ("HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR")),
        *({"grainToDate": unit} for unit in ("WEEK", "MONTH", "QUARTER", "YEAR")),
        {},
    ],
    ids=str,
)
def test_sums_from_the_first_year_on_are_sums_of_all(column: str, unit: Unit, definition: dict[str, Any]) -> None:
    cumulative, type_ = Cumulative.model_validate({"metric": "a", **definition}), TABLE.column(column).type
    if type_.kind is Kind.DATE and cumulative.window is not None and cumulative.window.unit == "HOUR":
        with pytest.raises(BadInput, match="dates"):
            require_window(cumulative, type_)
        return
    require_window(cumulative, type_)
    for first, end in list(ranges(column, unit))[:2]:
        for zone in ZONES:
            each = over(TABLE, column, unit, time_zone=zone, first=first, end=end)
            assert each.first is not None
            assert each.last is not None
            try:
                moments = each.moments(each.first, each.last)
            except OutsideYears:
                assert zone != "UTC"
                continue
            needed = first_needed(cumulative, each)
            assert needed is None or needed <= each.first
            found = summed_up(cumulative, each, moments, {moments[0]: {"a": 3}}, ["a"])
            assert found[0] == {"a": 3}


def test_hours_of_dates_are_refused() -> None:
    for unit in CLOCK_UNITS:
        for more in ({}, {"fill": Fill.ZERO}, {"compare": Comparison.PREVIOUS_PERIOD}):
            with pytest.raises(BadInput, match="truncated"):
                over(TABLE, "day", unit, time_zone="UTC", first="2024-01-01", end="2024-01-03", **more)


@pytest.mark.parametrize("text", ["10000-01-01", "-0001-12-31"])
def test_a_year_of_the_store_that_is_not_told(text: str) -> None:
    shape = Shape(ColumnType(Kind.DATE), (), {"n": Kind.INTEGER}, "s")
    each = over(TABLE, "day", Unit.DAY, time_zone="UTC", fill=Fill.ZERO)
    with pytest.raises(OutsideYears, match="9999"):
        series(each, shape, [{"day": text, "n": 1}])
