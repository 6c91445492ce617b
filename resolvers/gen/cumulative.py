"""Cumulative sums of buckets over time. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import accumulate
from typing import TypeAlias

from loaders.calendar import Moment, OutsideYears, shifted, truncated
from loaders.description import ColumnType, Kind
from loaders.errors import BadInput
from loaders.expression import CLOCK_UNITS
from loaders.read import AggregateFunction, Unit
from resolvers.gen.arithmetic import Number
from resolvers.gen.metric_definition import Cumulative
from resolvers.gen.metric_tree import Leaf
from resolvers.gen.over import Over

Bucketed: TypeAlias = Mapping[Moment, Mapping[str, Number | None]]
_SUMMED = (AggregateFunction.SUM, AggregateFunction.COUNT)
Span: TypeAlias = tuple[int, int]
"""Positions from the first (inclusive) to the second (exclusive)."""


def require_summable(leaves: Sequence[Leaf]) -> None:
    """Raises `BadInput` for a measure whose total is not the sum of its parts."""
    for leaf in leaves:
        for _, function in leaf.parts:
            if function not in _SUMMED:
                raise BadInput(f"Metric {leaf.row.name!r} ({function}) cannot be summed up through time.")


def require_window(definition: Cumulative, time: ColumnType) -> None:
    """Raises `BadInput` for a window of hours over dates, which have no hours."""
    if definition.window is not None and time.kind is Kind.DATE and Unit[definition.window.unit] in CLOCK_UNITS:
        message = f"The window is of {definition.window.unit}s, and the column of time holds dates. Take days or more."
        raise BadInput(message)


def first_needed(definition: Cumulative, over: Over) -> Moment | None:
    """The moment from which rows are needed for the buckets from `over.first` on; None for all time."""
    since = None if over.first is None else _since(definition, over, over.start(over.first))
    return None if since is None else _ever(lambda: over.start(since))


def summed_up(
    definition: Cumulative, over: Over, moments: Sequence[Moment], buckets: Bucketed, names: Sequence[str]
) -> list[dict[str, Number | None] | None]:
    """For each moment, in order, the sums of the buckets up to and including its own; None if there is nothing to sum
    up.

    A window contains the buckets that begin less than its length before the bucket; a grain those that begin in it.
    Each value is added at most twice, however long the window is.
    """
    ordered = sorted(buckets)
    first = bisect_right if definition.window else bisect_left
    since = [_since(definition, over, moment) for moment in moments]
    spans = [
        (0 if begin is None else first(ordered, begin), bisect_right(ordered, moment))
        for begin, moment in zip(since, moments, strict=True)
    ]
    sums = {name: list(_sums([buckets[each][name] for each in ordered], spans)) for name in names}
    return [
        {name: found[place] for name, found in sums.items()} if start < end else None
        for place, (start, end) in enumerate(spans)
    ]


def _sums(values: Sequence[Number | None], spans: Iterable[Span]) -> Iterator[Number | None]:
    """The sum of each span; the ends of spans never decrease. Nothing is subtracted, since that would accumulate errors
    in floats: `heads` are the sums from each position up to `middle`, `tail` the sum from there to `high`.
    """
    heads: list[Number | None] = []
    tail: Number | None = None
    base = middle = high = 0
    for start, end in spans:
        until = max(start, end, high)
        for value in values[high:until]:
            tail = _sum(tail, value)
        high = until
        if start > middle:
            heads = list(accumulate(reversed(values[start:high]), _sum))[::-1]
            base, middle, tail = start, high, None
        yield _sum(heads[start - base] if start < middle else None, tail)


def _since(definition: Cumulative, over: Over, moment: Moment) -> Moment | None:
    window, grain = definition.window, definition.grain_to_date
    if window is not None:
        return _ever(lambda: shifted(moment, Unit[window.unit], -window.count, over.zone))
    if grain is not None:
        return _ever(lambda: truncated(moment, Unit[grain], over.zone, over.bucket.week_start))
    return None


def _ever(since: Callable[[], Moment]) -> Moment | None:
    """None for a moment before the first one, since all time begins with the first."""
    try:
        return since()
    except OutsideYears:
        return None


def _sum(first: Number | None, second: Number | None) -> Number | None:
    if first is None or second is None:
        return second if first is None else first
    if isinstance(first, float) or isinstance(second, float):
        return float(first) + float(second)
    return Decimal(first) + second if isinstance(second, Decimal) else first + second
