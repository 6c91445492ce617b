"""Computes the values of a cumulative metric by bucket and group from the bucketed values of its parts. Pure."""

from collections.abc import Mapping, Sequence

from loaders.calendar import Moment
from loaders.errors import PageTooLarge
from resolvers.gen.arithmetic import Number
from resolvers.gen.cumulative import summed_up
from resolvers.gen.group_read import MAX_GROUPS
from resolvers.gen.metric_definition import Cumulative
from resolvers.gen.metric_leaf import Group, Key
from resolvers.gen.metric_tree import Leaf
from resolvers.gen.over import Over
from resolvers.gen.series import require_starts


def summed(
    cumulative: Cumulative,
    buckets: Over,
    values: Mapping[Key, dict[str, Number | None]],
    leaves: Sequence[Leaf],
    store: str,
) -> dict[Key, dict[str, Number | None]]:
    """The sums for each bucket that has something to sum, by group of the dimensions. Rows without a time are left out.

    `StoreQueryFailed` when the store's buckets do not begin where this process's time zone data say: values would be
    added to the wrong buckets.
    """
    by_group: dict[Group, dict[Moment, Mapping[str, Number | None]]] = {}
    for (moment, group), found in values.items():
        if moment is not None:
            by_group.setdefault(group, {})[moment] = found
    there = [moment for found in by_group.values() for moment in found]
    if not there:
        return {}
    require_starts(buckets, set(there), store)
    first = min(there) if buckets.first is None else buckets.first
    last = max(there) if buckets.last is None else buckets.last
    moments = buckets.moments(first, last)
    if len(moments) * len(by_group) > MAX_GROUPS:
        raise PageTooLarge(f"The metric has more than {MAX_GROUPS} groups. Take a longer unit, or narrow it.")
    names = [name for leaf in leaves for name, _ in leaf.parts]
    return {
        (moment, group): row
        for group, found in by_group.items()
        for moment, row in zip(moments, summed_up(cumulative, buckets, moments, found, names), strict=True)
        if row is not None
    }
