"""Filled gaps and comparisons, as a table of cases."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from loaders.description import ColumnType, Kind
from loaders.errors import PageTooLarge, StoreQueryFailed
from loaders.read import And, Bucket, Col, Compare, Not, Op, Unit
from resolvers.gen.over import Comparison, Fill, Over
from resolvers.gen.series import Shape, series

DAY = Shape(ColumnType(Kind.DATE), (), {"n": Kind.INTEGER}, "s")
BY_PLACE = Shape(ColumnType(Kind.DATE), ("at",), {"n": Kind.INTEGER, "sum": Kind.BIGINT, "name": Kind.TEXT}, "s")
AT = Shape(ColumnType(Kind.TIMESTAMP), (), {"n": Kind.INTEGER}, "s")
FIRST, END = date(2024, 2, 27), date(2024, 3, 2)


def days(fill: Fill | None, *, compare: Comparison | None = None, ends: bool = True, unit: Unit = Unit.DAY) -> Over:
    first, end = (FIRST, END) if ends else (None, None)
    return Over(Bucket("day", unit), "day", first, end, fill, compare)


def row(day: str | None, n: int | None, **more: Any) -> dict[str, Any]:
    return {"day": day, "n": n, **more}


SPARSE = [row("2024-02-28", 5), row("2024-03-01", 7)]


@pytest.mark.parametrize(
    ("fill", "filled"),
    [
        (Fill.NULL, [None, 5, None, 7]),
        (Fill.ZERO, [0, 5, 0, 7]),
        (Fill.PREVIOUS, [None, 5, 5, 7]),
    ],
)
def test_gaps(fill: Fill, filled: list[int | None]) -> None:
    names = ["2024-02-27", "2024-02-28", "2024-02-29", "2024-03-01"]
    assert series(days(fill), DAY, SPARSE) == [row(*each) for each in zip(names, filled, strict=True)]
    assert series(days(fill, ends=False), DAY, SPARSE) == [row(*each) for each in zip(names, filled, strict=True)][1:]


def test_nothing_is_filled_where_nothing_is_known() -> None:
    assert series(days(Fill.ZERO, ends=False), DAY, []) == []
    assert series(days(Fill.ZERO), BY_PLACE, []) == []
    assert [each["n"] for each in series(days(Fill.ZERO), DAY, [])] == [0] * 4


def test_each_series_has_each_bucket() -> None:
    rows = [row("2024-02-29", 1, at="b", sum="3", name="x"), row("2024-02-29", 2, at="a", sum="4", name="y")]
    found = series(days(Fill.ZERO), BY_PLACE, [*rows, row(None, 9, at="a", sum="1", name="z")])
    assert [(each["day"], each["at"]) for each in found[:4]] == [
        ("2024-02-27", "b"),
        ("2024-02-27", "a"),
        ("2024-02-28", "b"),
        ("2024-02-28", "a"),
    ]
    assert found[0] == row("2024-02-27", 0, at="b", sum="0", name=None)
    assert found[-1] == row(None, 9, at="a", sum="1", name="z")
    assert len(found) == 4 * 2 + 1


def test_the_previous_period() -> None:
    """Four days before: the 23rd to the 26th. What was only then is there too."""
    before = [row("2024-02-23", 1), row("2024-02-24", 2)]
    found = series(days(None, compare=Comparison.PREVIOUS_PERIOD), DAY, SPARSE, before)
    assert found == [
        row("2024-02-27", None, compared=row("2024-02-23", 1)),
        row("2024-02-28", 5, compared=row("2024-02-24", 2)),
        row("2024-03-01", 7, compared=None),
    ]


def test_the_previous_year() -> None:
    """The leap day has no day to be compared with."""
    before = [row("2023-02-28", 1), row("2023-03-01", 2)]
    found = series(days(Fill.ZERO, compare=Comparison.PREVIOUS_YEAR), DAY, SPARSE, before)
    assert found == [
        row("2024-02-27", 0, compared=row("2023-02-27", 0)),
        row("2024-02-28", 5, compared=row("2023-02-28", 1)),
        row("2024-02-29", 0, compared=None),
        row("2024-03-01", 7, compared=row("2023-03-01", 2)),
    ]


def test_weeks_of_the_previous_year_are_whole() -> None:
    over = days(None, compare=Comparison.PREVIOUS_YEAR, unit=Unit.WEEK)
    assert over.earlier().range().first == date(2023, 2, 28)
    found = series(over, DAY, [row("2024-02-26", 5)], [row("2023-02-27", 4)])
    assert found == [row("2024-02-26", 5, compared=row("2023-02-27", 4))]


def test_a_day_of_25_hours_is_filled_with_25() -> None:
    first, end = datetime(2024, 10, 26, 22, tzinfo=UTC), datetime(2024, 10, 27, 23, tzinfo=UTC)
    over = Over(Bucket("at", Unit.HOUR, "Europe/Berlin"), "at", first, end, Fill.ZERO)
    found = series(over, AT, [])
    assert len(found) == 25
    assert found[0]["at"] == "2024-10-26T22:00:00+00:00"


def test_too_many() -> None:
    over = Over(Bucket("day", Unit.DAY), "day", date(1900, 1, 1), date(1990, 1, 1), Fill.ZERO)
    with pytest.raises(PageTooLarge, match="10000"):
        series(over, DAY, [])
    rows = [row("2024-02-27", 1, at=f"{i}", sum="0", name="") for i in range(3_000)]
    with pytest.raises(PageTooLarge, match="10000"):
        series(days(Fill.ZERO), BY_PLACE, rows)


def test_no_row_of_an_unknown_bucket_is_left_out() -> None:
    """A store that begins the day with the second midnight of a night in which clocks go back over it."""
    first, end = datetime(2013, 10, 27, tzinfo=UTC), datetime(2013, 10, 28, 1, tzinfo=UTC)
    over = Over(Bucket("at", Unit.DAY, "Atlantic/Azores"), "at", first, end, Fill.ZERO)
    assert series(over, AT, [{"at": "2013-10-27T00:00:00+00:00", "n": 72}]) == [
        {"at": "2013-10-27T00:00:00+00:00", "n": 72}
    ]
    with pytest.raises(StoreQueryFailed, match="Azores"):
        series(over, AT, [{"at": "2013-10-27T01:00:00+00:00", "n": 72}])


@pytest.mark.parametrize(
    ("unit", "compare", "range_", "earlier"),
    [
        (Unit.DAY, Comparison.PREVIOUS_YEAR, ("2024-02-27", "2024-02-29"), ("2023-02-27", "2023-03-01")),
        (Unit.DAY, Comparison.PREVIOUS_YEAR, ("2024-02-29", "2024-03-01"), ("2023-03-01", "2023-03-01")),
        (Unit.MONTH, Comparison.PREVIOUS_PERIOD, ("2024-03-01", "2024-03-31"), ("2024-02-01", "2024-03-01")),
        (Unit.MONTH, Comparison.PREVIOUS_PERIOD, ("2024-03-01", "2024-03-20"), ("2024-02-01", "2024-02-20")),
    ],
)
def test_a_day_that_is_not_there_ends_the_earlier_range_after_the_last_that_is(
    unit: Unit, compare: Comparison, range_: tuple[str, str], earlier: tuple[str, str]
) -> None:
    def midnight(day: str) -> datetime:
        return datetime.fromisoformat(day).replace(tzinfo=UTC)

    for moment in (date.fromisoformat, midnight):
        first, end = moment(range_[0]), moment(range_[1])
        found = Over(Bucket("day", unit), "day", first, end, None, compare).earlier().range()
        assert (found.first, found.end) == (moment(earlier[0]), moment(earlier[1]))


def test_conditions_on_the_column_of_time_move_with_the_range() -> None:
    def days_of(*days: tuple[Op, Any]) -> And:
        return And((*(Compare(Col("day"), op, day) for op, day in days), Compare(Col("n"), Op.EQ, 3)))

    earlier = days(None, compare=Comparison.PREVIOUS_YEAR).earlier()
    leap = date(2024, 2, 29)
    where = days_of((Op.GTE, FIRST), (Op.LT, leap), (Op.GT, leap), (Op.IN, (FIRST, leap)), (Op.NE, leap))
    was = date(2023, 2, 27), date(2023, 3, 1)
    moved = days_of((Op.GTE, was[0]), (Op.LT, was[1]), (Op.GTE, was[1]), (Op.IN, (was[0],)), (Op.NOT_IN, ()))
    assert earlier.condition(where) == moved
    assert earlier.condition(Not(where)) == Not(moved)
    null = Compare(Col("day"), Op.IS_NULL, True)
    assert earlier.condition(null) == null
