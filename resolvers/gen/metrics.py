"""A semantic metric asked by its name: its leaves are aggregated where they are, each table by itself."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from loaders.calendar import Moment, after
from loaders.concurrently import concurrently
from loaders.description import ColumnType, Kind, Table
from loaders.encode.value import encode_value
from loaders.errors import BadInput, NotFound, PageTooLarge
from loaders.read import AggregateFunction, And, Predicate, Unit, WeekStart
from resolvers.context import Context
from resolvers.gen.answer import answer_grouped
from resolvers.gen.cumulative import first_needed, require_summable, summed_up
from resolvers.gen.groups import Groups
from resolvers.gen.loaders import gen_loaders
from resolvers.gen.metric_definition import Cumulative
from resolvers.gen.metric_tree import Leaf, Number, Tree, tree_of
from resolvers.gen.over import Over, over
from resolvers.gen.rows import MAX_GROUPS, MeasureOf, column_of, predicate
from resolvers.gen.tables import describe_table

TIME = "time"
"""The name of the bucket in a metric's groups."""

Group = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class MetricTime:
    """Buckets of the metric's own column of time, under the name `time`; `first` and `end` as rows answer it."""

    unit: Unit
    time_zone: str
    week_start: WeekStart = WeekStart.MONDAY
    first: str | None = None
    end: str | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """The groups of one leaf: values by bucket (None without time), then by the dimensions' values."""

    over: Over | None
    time: Kind | None
    values: Mapping[tuple[Moment | None, Group], Mapping[str, Number | None]]


async def metric_groups(
    context: Context,
    dataset_id: UUID,
    name: str,
    *,
    version: int | None,
    dimensions: Sequence[str],
    time: MetricTime | None,
    where: Mapping[str, Any] | None,
) -> list[dict[str, Any]]:
    """The metric in groups of its dimensions: `time`, the dimensions, the value under the metric's name; in order.

    Each table is asked in place under its guard, concurrently, and what is reckoned of several is reckoned for each
    group. `NotFound` for a metric or a table the caller does not see, `BadInput` for a dimension that is not allowed.
    """
    tree = tree_of(name, version, await asyncio.shield(gen_loaders(context).metrics.load(dataset_id)))
    names = tuple(dict.fromkeys(dimensions))
    leaves = list(tree.leaves.values())
    _require_allowed(tree, names)
    cumulative = tree.definition if isinstance(tree.definition, Cumulative) else None
    if cumulative is not None:
        require_summable(leaves)
        if time is None:
            raise BadInput(f"Metric {name!r} is summed up through time. Give `time`.")
    asked = await concurrently(_ask(context, dataset_id, leaf, names, time, where, cumulative) for leaf in leaves)
    values = _together(leaves, asked)
    if cumulative is not None and asked[0].over is not None:
        values = _summed(cumulative, asked[0].over, values, leaves)
    if len(values) > MAX_GROUPS:
        raise PageTooLarge(f"Metric {name!r} has more than {MAX_GROUPS} groups. Narrow it, or take fewer dimensions.")
    return [_row(tree, key, values[key], names, asked[0]) for key in sorted(values, key=_order)]


def _require_allowed(tree: Tree, names: Sequence[str]) -> None:
    rows = [leaf.row for leaf in tree.leaves.values()]
    if tree.row.dimensions:
        rows.append(tree.row)
    for row in rows:
        for name in names:
            if name not in row.dimensions:
                allowed = ", ".join(row.dimensions) or "none"
                raise BadInput(f"Metric {row.name!r} is not grouped by {name!r}. Its dimensions: {allowed}.")


async def _ask(
    context: Context,
    dataset_id: UUID,
    leaf: Leaf,
    names: tuple[str, ...],
    time: MetricTime | None,
    where: Mapping[str, Any] | None,
    cumulative: Cumulative | None,
) -> _Asked:
    table_name = leaf.row.table_name or ""
    table = await describe_table(context, dataset_id, table_name)
    if table is None:
        raise NotFound(f"There is no table {table_name!r} in this dataset, which metric {leaf.row.name!r} is made of.")
    buckets = None if time is None else _over(leaf, table, time)
    needed = buckets
    if buckets is not None and cumulative is not None:
        needed = replace(buckets, first=first_needed(cumulative, buckets))
    measure = leaf.definition.measure
    measures = [MeasureOf(function, measure.column, name, measure.fraction) for name, function in leaf.parts]
    groups = Groups(table, names, tuple(measures), _where(leaf, where, table), over=needed)
    found = await answer_grouped(groups, dataset_id, context)
    if found.truncated:
        raise PageTooLarge(f"Metric {leaf.row.name!r} has more than {MAX_GROUPS} groups. Narrow it.")
    kinds = {column.name: column.kind for column in found.columns}
    kind = None if buckets is None else column_of(table, buckets.bucket.column).type.kind
    values = {
        (_moment(row.get(TIME), kind), tuple(row[name] for name in names)): {
            each.key: _number(row[each.key], kinds[each.key], leaf) for each in measures
        }
        for row in found.rows
    }
    return _Asked(buckets, kind, values)


def _over(leaf: Leaf, table: Table, time: MetricTime) -> Over:
    if leaf.row.time_column is None:
        raise BadInput(f"Metric {leaf.row.name!r} has no column of time. Ask for it without `time`.")
    return over(
        table,
        leaf.row.time_column,
        time.unit,
        time_zone=time.time_zone,
        week_start=time.week_start,
        key=TIME,
        first=time.first,
        end=time.end,
    )


def _where(leaf: Leaf, where: Mapping[str, Any] | None, table: Table) -> Predicate | None:
    own = leaf.definition.where
    kept = None if own is None else predicate(own.model_dump(by_alias=True, exclude_unset=True), table)
    terms = tuple(term for term in (kept, predicate(where, table)) if term is not None)
    return And(terms) if terms else None


def _together(leaves: Sequence[Leaf], asked: Sequence[_Asked]) -> dict[Any, dict[str, Number | None]]:
    """Every group that a leaf has. Where another leaf has no rows, its counts are 0 and all else null."""
    empty: dict[str, Number | None] = {
        name: 0 if function in (AggregateFunction.COUNT, AggregateFunction.COUNT_DISTINCT) else None
        for leaf in leaves
        for name, function in leaf.parts
    }
    values: dict[Any, dict[str, Number | None]] = {}
    for each in asked:
        for key, found in each.values.items():
            values.setdefault(key, dict(empty)).update(found)
    return values


def _summed(
    cumulative: Cumulative, buckets: Over, values: Mapping[Any, dict[str, Number | None]], leaves: Sequence[Leaf]
) -> dict[Any, dict[str, Number | None]]:
    """In each bucket from the first to the last, for each group of the dimensions. Rows without a time are left out."""
    by_group: dict[Group, dict[Moment, Mapping[str, Number | None]]] = {}
    for (moment, group), found in values.items():
        if moment is not None:
            by_group.setdefault(group, {})[moment] = found
    there = [moment for found in by_group.values() for moment in found]
    if not there:
        return {}
    first = min(there) if buckets.first is None else buckets.first
    moments = buckets.moments(first, after(max(there)) if buckets.end is None else buckets.end)
    if len(moments) * len(by_group) > MAX_GROUPS:
        raise PageTooLarge(f"The metric has more than {MAX_GROUPS} groups. Take a longer unit, or narrow it.")
    names = [name for leaf in leaves for name, _ in leaf.parts]
    return {
        (moment, group): row
        for group, found in by_group.items()
        for moment, row in zip(moments, summed_up(cumulative, buckets, moments, found, names), strict=True)
    }


def _row(
    tree: Tree, key: tuple[Moment | None, Group], values: Mapping[str, Number | None], names: Sequence[str], of: _Asked
) -> dict[str, Any]:
    moment, group = key
    row: dict[str, Any] = {}
    if of.over is not None and of.time is not None:
        row[TIME] = None if moment is None else _text(moment)
    row |= dict(zip(names, group, strict=True))
    value = tree.value(values)
    row[tree.row.name] = str(value) if isinstance(value, Decimal) else value
    return row


def _order(key: tuple[Moment | None, Group]) -> tuple[Any, ...]:
    """By time, then by the dimensions; nulls last. Values of one place are of one kind."""
    moment, group = key
    return ((moment is None, moment or 0), *((value is None, "" if value is None else value) for value in group))


def _moment(text: str | None, kind: Kind | None) -> Moment | None:
    if text is None:
        return None
    return date.fromisoformat(text) if kind is Kind.DATE else datetime.fromisoformat(text)


def _text(moment: Moment) -> str:
    return encode_value(moment, ColumnType(Kind.TIMESTAMP if isinstance(moment, datetime) else Kind.DATE))


def _number(value: Any, kind: Kind, leaf: Leaf) -> Number | None:
    match kind:
        case Kind.INTEGER | Kind.FLOAT:
            number: Number | None = value
            return number
        case Kind.BIGINT | Kind.NUMERIC:
            return None if value is None else Decimal(value)
        case _:
            raise BadInput(f"Metric {leaf.row.name!r} is no number but of kind {kind}.")
