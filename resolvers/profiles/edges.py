"""The boundaries of a histogram's bins, which are of equal width between the smallest and the largest value."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from loaders.description import ColumnType, Kind

BINS = 10
BINNED = frozenset({Kind.INTEGER, Kind.BIGINT, Kind.FLOAT, Kind.NUMERIC, Kind.DATE, Kind.TIMESTAMP})

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def edges(low: object, high: object, column_type: ColumnType) -> tuple[object, ...]:
    """The lower bounds of the bins after the first, at most `BINS - 1`, ascending, between `low` and `high`.

    They are values as parameters of the type take them. Whole numbers, days, microseconds and the last digit of
    decimals are not divided, so a narrow range has fewer bins. Empty when all values are equal.
    """
    match column_type.kind, low, high:
        case Kind.FLOAT, float(), float():
            inner = (low * (1 - n / BINS) + high * (n / BINS) for n in range(1, BINS))
            return tuple(sorted({edge for edge in inner if low < edge <= high}))
        case ((Kind.INTEGER | Kind.BIGINT), int(), int()):
            return _whole(low, high, lambda edge: edge)
        case Kind.DATE, date(), date():
            return _whole(low.toordinal(), high.toordinal(), date.fromordinal)
        case Kind.TIMESTAMP, _, _:
            first, last = _instant(low), _instant(high)
            return _whole((first - _EPOCH) // _MICROSECOND, (last - _EPOCH) // _MICROSECOND, _after_epoch)
        case Kind.NUMERIC, Decimal(), Decimal():
            digits = max(_digits(low), _digits(high))
            return _whole(int(low.scaleb(digits)), int(high.scaleb(digits)), lambda edge: Decimal(edge).scaleb(-digits))
        case kind, _, _:
            raise TypeError(f"a {kind} has no bins from {type(low).__name__} to {type(high).__name__}")


def _whole(low: int, high: int, value: Callable[[int], object]) -> tuple[object, ...]:
    width = -(-(high - low + 1) // BINS)
    return tuple(value(edge) for edge in range(low + width, high + 1, width))


def _instant(value: object) -> datetime:
    """Finer instants are truncated to the microsecond."""
    if isinstance(value, datetime):
        return value
    return datetime.fromisoformat(str(value))


def _after_epoch(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _digits(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0
