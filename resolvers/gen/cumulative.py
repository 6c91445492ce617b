"""Values summed up through time, from those of buckets. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

from loaders.calendar import Moment, shifted, truncated
from loaders.errors import BadInput, CostExceeded
from loaders.read import AggregateFunction, Unit
from resolvers.gen.metric_definition import Cumulative
from resolvers.gen.metric_tree import Leaf, Number
from resolvers.gen.over import Over

Bucketed: TypeAlias = Mapping[Moment, Mapping[str, Number | None]]
_SUMMED = (AggregateFunction.SUM, AggregateFunction.COUNT)
_MAX_ADDED = 2_000_000


def require_summable(leaves: Sequence[Leaf]) -> None:
    """`BadInput` for a measure that is not the sum of those of parts of its rows."""
    for leaf in leaves:
        for _, function in leaf.parts:
            if function not in _SUMMED:
                raise BadInput(f"Metric {leaf.row.name!r} ({function}) cannot be summed up through time.")


def first_needed(definition: Cumulative, over: Over) -> Moment | None:
    """From when on rows are needed for the buckets from `over.first`; None for all time."""
    if over.first is None:
        return None
    since = _since(definition, over, _start(over, over.first))
    return None if since is None else _start(over, since)


def summed_up(
    definition: Cumulative, over: Over, moments: Sequence[Moment], buckets: Bucketed, names: Sequence[str]
) -> list[dict[str, Number | None]]:
    """For each moment, in order, the sums of the buckets up to its own.

    A window holds the buckets that begin less than it before the bucket does; a grain those that begin in it.
    """
    ordered = sorted(buckets)
    found: list[dict[str, Number | None]] = []
    sums: dict[str, Number | None] = dict.fromkeys(names)
    low = high = added = 0
    for moment in moments:
        since = _since(definition, over, moment)
        start = 0 if since is None else (bisect_right if definition.window else bisect_left)(ordered, since)
        end = bisect_right(ordered, moment)
        if start != low:
            low, high, sums = start, start, dict.fromkeys(names)
        added += end - high
        if added > _MAX_ADDED:
            raise CostExceeded("The window holds too many buckets. Take a longer unit, or a shorter window.")
        for each in ordered[high:end]:
            sums = {name: _sum(total, buckets[each][name]) for name, total in sums.items()}
        high = max(high, end)
        found.append(dict(sums))
    return found


def _start(over: Over, moment: Moment) -> Moment:
    return truncated(moment, over.bucket.unit, over.zone, over.bucket.week_start)


def _since(definition: Cumulative, over: Over, moment: Moment) -> Moment | None:
    if definition.window is not None:
        return shifted(moment, Unit[definition.window.unit], -definition.window.count, over.zone)
    if definition.grain_to_date is not None:
        return truncated(moment, Unit[definition.grain_to_date], over.zone, over.bucket.week_start)
    return None


def _sum(first: Number | None, second: Number | None) -> Number | None:
    if first is None or second is None:
        return second if first is None else first
    if isinstance(first, float) or isinstance(second, float):
        return float(first) + float(second)
    return Decimal(first) + second if isinstance(second, Decimal) else first + second
