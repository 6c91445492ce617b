"""Answers a semantic metric by its name. Its leaves are aggregated by their stores, each table by itself."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from loaders.concurrently import concurrently
from loaders.description import ColumnType, Kind
from loaders.encode.value import encode_value
from loaders.errors import BadInput, CostExceeded, PageTooLarge
from loaders.ledger import Ledger, StoreUsage
from loaders.read import AggregateFunction
from resolvers.context import Context
from resolvers.gen.answer_columns import AnswerColumn
from resolvers.gen.arithmetic import Number
from resolvers.gen.cumulative import require_summable
from resolvers.gen.group_read import MAX_GROUPS
from resolvers.gen.metric_definition import Cumulative
from resolvers.gen.metric_leaf import TIME, Found, Key, LeafAnswer, LeafQuestion, MetricTime, ask
from resolvers.gen.metric_tree import Leaf, Tree, tree_of
from resolvers.gen.series import COMPARED, Shape, series
from resolvers.gen.summed import summed

_MAX_STEPS = 5_000_000
"""The maximum of arithmetic operations for one answer: well under a second of one core, outside of the event loop."""
_COUNTS = (AggregateFunction.COUNT, AggregateFunction.COUNT_DISTINCT)


@dataclass(frozen=True, slots=True)
class MetricAnswer:
    """`versions` are those of the metric and of all it is composed of, by name. `sql` has the statements, without
    values.
    """

    columns: tuple[AnswerColumn, ...]
    rows: list[dict[str, Any]]
    versions: Mapping[str, int]
    store: str
    sql: tuple[str, ...]
    usage: StoreUsage


async def answer_metric(
    context: Context,
    dataset_id: UUID,
    name: str,
    *,
    version: int | None,
    dimensions: Sequence[str],
    time: MetricTime | None,
    where: Mapping[str, Any] | None,
) -> MetricAnswer:
    """The metric by groups: `time`, the dimensions, and the value under the metric's name; sorted.

    The tables are read in place under their guards, concurrently, and computed values are computed for each group.
    `NotFound` for a metric or a table the caller does not see, `BadInput` for a dimension that is not allowed,
    `MetricFanout` when a join would multiply the metric.
    """
    tree = tree_of(name, version, await asyncio.shield(context.gen.metrics.load(dataset_id)))
    names = tuple(dict.fromkeys(dimensions))
    leaves = list(tree.leaves.values())
    _require_allowed(tree, names)
    _require_names(tree, names, time)
    cumulative = tree.definition if isinstance(tree.definition, Cumulative) else None
    if cumulative is not None:
        require_summable(leaves)
        if time is None:
            raise BadInput(f"Metric {name!r} is summed up through time. Give `time`.")
    question = LeafQuestion(names, time, where, cumulative)
    asked = await concurrently(ask(context, dataset_id, leaf, question) for leaf in leaves)
    _require_same(leaves, asked, names)
    of = asked[0]
    kind = tree.kind({part: kind for each in asked for part, kind in each.kinds.items()})
    columns = [AnswerColumn(TIME, of.time.kind)] if of.time is not None else []
    columns += [AnswerColumn(dimension, of.kinds[dimension]) for dimension in names]
    used = Ledger()
    for each in asked:
        used.add(each.used)
    answered = await asyncio.to_thread(_answered, tree, leaves, asked, names, kind)
    return MetricAnswer(
        (*columns, AnswerColumn(name, kind)),
        answered,
        tree.versions,
        of.store,
        tuple(sql for each in asked for sql in each.sql),
        used.stores.get(of.store, StoreUsage()),
    )


def _answered(
    tree: Tree, leaves: Sequence[Leaf], asked: Sequence[LeafAnswer], names: Sequence[str], kind: Kind
) -> list[dict[str, Any]]:
    """Gaps are filled and ranges compared as `series` does for widgets, by the metric's own value."""
    of = asked[0]
    cumulative = tree.definition if isinstance(tree.definition, Cumulative) else None
    found = _together(leaves, [each.found for each in asked])
    if of.over is None or of.time is None:
        return _rows(tree, found, names, None)
    if cumulative is not None:
        found = summed(cumulative, of.over, found, leaves, of.store)
    if of.over.fill is None and of.over.compare is None:
        return _rows(tree, found, names, of.time)
    earlier = _together(leaves, [each.earlier for each in asked])
    if cumulative is not None and of.over.compare is not None:
        earlier = summed(cumulative, of.over.earlier().range(), earlier, leaves, of.store)
    shape = Shape(of.time, tuple(names), {tree.row.name: kind}, of.store)
    now, before = (_rows(tree, each, names, of.time, by_group=True) for each in (found, earlier))
    return series(replace(of.over, key=TIME), shape, now, before)


def _require_allowed(tree: Tree, names: Sequence[str]) -> None:
    rows = [leaf.row for leaf in tree.leaves.values()]
    if tree.row.dimensions:
        rows.append(tree.row)
    for row in rows:
        for name in names:
            if name not in row.dimensions:
                allowed = ", ".join(row.dimensions) or "none"
                raise BadInput(f"Metric {row.name!r} is not grouped by {name!r}. Its dimensions: {allowed}.")


def _require_names(tree: Tree, names: Sequence[str], time: MetricTime | None) -> None:
    """`BadInput` when two values of a group have the same name."""
    taken = [tree.row.name, *names]
    if time is not None:
        taken += [TIME] if time.compare is None else [TIME, COMPARED]
    if twice := [name for name, count in Counter(taken).items() if count > 1]:
        raise BadInput(f"Two values of a group are named {twice[0]!r}. Give the dimension another one in `names`.")


def _require_same(leaves: Sequence[Leaf], asked: Sequence[LeafAnswer], names: Sequence[str]) -> None:
    """Groups of several tables are matched by their values: `BadInput` when the types differ."""
    first, of = leaves[0].row.name, asked[0]
    for leaf, each in zip(leaves[1:], asked[1:], strict=True):
        pairs = [(name, of.kinds[name], each.kinds[name]) for name in names]
        if of.time is not None and each.time is not None:
            pairs.append((TIME, of.time.kind, each.time.kind))
        for name, left, right in pairs:
            if left is not right:
                raise BadInput(
                    f"{name!r} is {left} in metric {first!r} and {right} in {leaf.row.name!r}: their groups do not "
                    "meet. Take columns of one type."
                )


def _together(leaves: Sequence[Leaf], asked: Sequence[Found]) -> dict[Key, dict[str, Number | None]]:
    """All groups that any leaf has. For a leaf without rows in a group, counts are 0 and other values null."""
    empty: dict[str, Number | None] = {
        name: 0 if function in _COUNTS else None for leaf in leaves for name, function in leaf.parts
    }
    values: dict[Key, dict[str, Number | None]] = {}
    for each in asked:
        for key, found in each.items():
            values.setdefault(key, dict(empty)).update(found)
    return values


def _rows(
    tree: Tree,
    values: Mapping[Key, Mapping[str, Number | None]],
    names: Sequence[str],
    time: ColumnType | None,
    *,
    by_group: bool = False,
) -> list[dict[str, Any]]:
    """Sorted by time and then dimensions, or the other way round; nulls last."""
    if len(values) > MAX_GROUPS:
        raise PageTooLarge(f"The metric has more than {MAX_GROUPS} groups. Narrow it, or take fewer dimensions.")
    if (steps := len(values) * tree.steps) > _MAX_STEPS:
        message = f"Metric {tree.row.name!r} takes {steps} steps of arithmetic, and at most {_MAX_STEPS} are done."
        raise CostExceeded(f"{message} Narrow it, or take fewer dimensions.")
    ordered = sorted(values, key=_by_group if by_group else _by_time)
    return [_row(tree, key, values[key], names, time) for key in ordered]


def _row(
    tree: Tree, key: Key, values: Mapping[str, Number | None], names: Sequence[str], time: ColumnType | None
) -> dict[str, Any]:
    moment, group = key
    row: dict[str, Any] = {}
    if time is not None:
        row[TIME] = None if moment is None else encode_value(moment, time)
    row |= dict(zip(names, group, strict=True))
    value = tree.value(values)
    row[tree.row.name] = str(value) if isinstance(value, Decimal) else value
    return row


def _by_time(key: Key) -> tuple[Any, ...]:
    """Values in one position have the same kind."""
    return (*_moment(key), *_group(key))


def _by_group(key: Key) -> tuple[Any, ...]:
    return (*_group(key), *_moment(key))


def _moment(key: Key) -> tuple[Any, ...]:
    return (key[0] is None, key[0] or 0)


def _group(key: Key) -> tuple[Any, ...]:
    return tuple((value is None, "" if value is None else value) for value in key[1])
