"""Measures over values in memory: the naive interpreter's."""

import math
import statistics
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

from loaders.order import nulls_first
from loaders.read import AggregateFunction, GroupOrder, Measure


def measured(measure: Measure, given: list[Any], sort_key: Callable[[object], Any]) -> Any:
    """The measure of the values that are not null. A float's NaN is none where order matters."""
    in_order = sorted((v for v in given if not isinstance(v, float) or v == v), key=sort_key)
    match measure.function:
        case AggregateFunction.COUNT:
            return len(given)
        case AggregateFunction.COUNT_DISTINCT:
            return len({None if isinstance(value, float) and value != value else value for value in given})
        case AggregateFunction.MIN:
            return in_order[0] if in_order else None
        case AggregateFunction.MAX:
            return in_order[-1] if in_order else None
        case AggregateFunction.SUM:
            with localcontext() as context:
                context.prec = 500
                return sum(given) if given else None
        case AggregateFunction.AVG:
            return float(sum(given)) / len(given) if given else None
        case AggregateFunction.STDDEV:
            return float(statistics.stdev(given)) if len(given) > 1 else None
        case AggregateFunction.PERCENTILE:
            assert measure.fraction is not None
            return _percentile([float(v) for v in in_order if not isinstance(v, Decimal) or v == v], measure.fraction)


def _percentile(values: list[float], fraction: float) -> float | None:
    """SQL's percentile_cont: between the two values that the place `fraction * (n - 1)` lies between."""
    if not values:
        return None
    place = fraction * (len(values) - 1)
    low, high = values[math.floor(place)], values[math.ceil(place)]
    return low if low == high else low + (high - low) * (place - math.floor(place))


def in_order(
    keys: list[tuple[Any, ...]],
    values: dict[tuple[Any, ...], Any],
    term: GroupOrder,
    sort_key: Callable[[object], Any],
) -> list[tuple[Any, ...]]:
    """The keys of groups by their values, those that are equal as they were."""
    nulls = [key for key in keys if values[key] is None]
    others = [key for key in keys if values[key] is not None]
    others.sort(key=lambda key: sort_key(values[key]), reverse=term.descending)  # stable in reverse, too
    return nulls + others if nulls_first(term) else others + nulls
