from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.description import ColumnType, Kind
from resolvers.profiles.edges import BINS, edges

_PAST, _FUTURE = datetime(1, 1, 1), datetime(9999, 12, 31)
_VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.INTEGER: st.integers(-(2**31), 2**31 - 1),
    Kind.BIGINT: st.integers(-(2**63), 2**64 - 1),
    Kind.FLOAT: st.floats(allow_nan=False, allow_infinity=False),
    Kind.NUMERIC: st.decimals(-(10**16), 10**16, places=4),
    Kind.DATE: st.dates(),
    Kind.TIMESTAMP: st.datetimes(_PAST, _FUTURE, timezones=st.just(UTC)),
}


@pytest.mark.parametrize("kind", _VALUES)
@given(data=st.data())
def test_edges_are_ascending_and_within_the_values(kind: Kind, data: st.DataObject) -> None:
    low, high = sorted([data.draw(_VALUES[kind]), data.draw(_VALUES[kind])])
    found: tuple[Any, ...] = edges(low, high, ColumnType(kind))
    assert len(found) < BINS
    assert list(found) == sorted(set(found))
    assert all(low < edge <= high for edge in found)


@given(st.integers(-(2**63), 2**63), st.integers(0, 2**64))
def test_bins_of_whole_numbers_are_equally_wide(low: int, span: int) -> None:
    found = edges(low, low + span, ColumnType(Kind.BIGINT))
    starts = [low, *(edge for edge in found if isinstance(edge, int))]
    widths = {after - before for before, after in pairwise(starts)}
    assert len(widths) <= 1
    assert all(low + span - starts[-1] < width for width in widths)


@pytest.mark.parametrize(
    ("kind", "low", "high", "expected"),
    [
        (Kind.INTEGER, 5, 5, ()),
        (Kind.INTEGER, 1, 3, (2, 3)),
        (Kind.FLOAT, -1.7e308, 1.7e308, 9),
        (Kind.DATE, date(1969, 12, 31), date(1970, 1, 1), (date(1970, 1, 1),)),
        (Kind.NUMERIC, Decimal("0.01"), Decimal("0.03"), (Decimal("0.02"), Decimal("0.03"))),
        (
            Kind.TIMESTAMP,
            datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
            datetime(1970, 1, 1, tzinfo=UTC),
            (datetime(1970, 1, 1, tzinfo=UTC),),
        ),
        (Kind.TIMESTAMP, "2024-01-01T00:00:00.000000001+00:00", "2024-01-01T00:00:00.000000999+00:00", ()),
    ],
)
def test_edges_by_hand(kind: Kind, low: object, high: object, expected: tuple[object, ...] | int) -> None:
    found = edges(low, high, ColumnType(kind))
    assert (len(found) if isinstance(expected, int) else found) == expected


def test_text_has_no_bins() -> None:
    with pytest.raises(TypeError, match="no bins"):
        edges("a", "b", ColumnType(Kind.TEXT))


def test_a_day_is_ten_bins_of_equal_length() -> None:
    start = datetime(2024, 3, 31, tzinfo=UTC)
    found = edges(start, start + timedelta(days=1) - timedelta(microseconds=1), ColumnType(Kind.TIMESTAMP))
    assert found == tuple(start + n * timedelta(hours=2, minutes=24) for n in range(1, 10))
