"""Reads a simple metric from its table: the parts of its value, by buckets of time and values of dimensions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

from loaders.calendar import Moment
from loaders.concurrently import concurrently
from loaders.description import ColumnType, Kind, Table
from loaders.errors import BadInput, PageTooLarge
from loaders.ledger import Ledger
from loaders.read import Predicate, Unit, WeekStart, conjunction
from resolvers.context import Context
from resolvers.gen.arithmetic import Number
from resolvers.gen.cumulative import first_needed, require_window
from resolvers.gen.group_read import MAX_GROUPS, MeasureOf
from resolvers.gen.groups import Grouped, Groups, grouped_rows
from resolvers.gen.metric_definition import Cumulative, Simple
from resolvers.gen.metric_table import MetricTable, metric_table
from resolvers.gen.metric_tree import Leaf
from resolvers.gen.over import Comparison, Fill, Over, over
from resolvers.gen.row_filter import predicate
from resolvers.gen.rows import column_of
from resolvers.gen.series import moment_of
from resolvers.gen.watch import Watch, watching

TIME = "time"
"""The name of the bucket in a metric's groups."""
_BUCKET = "@time"

Group: TypeAlias = tuple[Any, ...]
Key: TypeAlias = tuple[Moment | None, Group]
"""The key of a group: its bucket (None without time) and the values of its dimensions."""
Found: TypeAlias = Mapping[Key, Mapping[str, Number | None]]


@dataclass(frozen=True, slots=True)
class MetricTime:
    """Buckets of the metric's own time column, named `time`. `first` and `end` are written as rows return
    the column.
    """

    unit: Unit
    time_zone: str
    week_start: WeekStart = WeekStart.MONDAY
    first: str | None = None
    end: str | None = None
    fill: Fill | None = None
    compare: Comparison | None = None


@dataclass(frozen=True, slots=True)
class LeafQuestion:
    """What is requested of each simple metric. `dimensions` are the metric's names for them."""

    dimensions: tuple[str, ...]
    time: MetricTime | None
    where: Mapping[str, Any] | None
    cumulative: Cumulative | None


@dataclass(frozen=True, slots=True)
class LeafAnswer:
    """The groups of one leaf. `earlier` are those of the comparison range, by their own buckets.

    `kinds` are those of the dimensions and of the parts. `time` is the type of the buckets, None without them.
    """

    over: Over | None
    time: ColumnType | None
    kinds: Mapping[str, Kind]
    found: Found
    earlier: Found
    store: str
    sql: tuple[str, ...]
    used: Ledger


async def ask(context: Context, dataset_id: UUID, leaf: Leaf, question: LeafQuestion) -> LeafAnswer:
    """Runs one query under the guard of its tables, or two when ranges are compared."""
    simple, name = leaf.definition, leaf.row.name
    targets = [simple.column(each) for each in question.dimensions]
    own_where = None if simple.where is None else renamed(simple.where.given, simple)
    where = renamed(question.where, simple)
    time_column = _time_column(leaf, question)
    named = [*targets, *compared_columns(own_where), *compared_columns(where)]
    named += [each for each in (time_column, simple.measure.column) if each is not None]
    wide = await metric_table(context, dataset_id, name, leaf.row.table_name or "", simple, named)
    buckets = None if question.time is None or time_column is None else _over(wide.table, time_column, question.time)
    if buckets is not None and question.cumulative is not None:
        require_window(question.cumulative, column_of(wide.table, buckets.bucket.column).type)
    own, asked = predicate(own_where, wide.table), predicate(where, wide.table)
    runs = [(None if buckets is None else replace(buckets, fill=None, compare=None), asked)]
    if buckets is not None and buckets.compare is not None:
        earlier = buckets.earlier()
        runs.append((earlier.range(), earlier.condition(asked)))
    with watching(wide.table, dataset_id, context) as watch:
        found = await concurrently(
            _grouped(watch, leaf, wide, targets, conjunction((own, narrower)), _needed(each, question.cumulative))
            for each, narrower in runs
        )
    kinds = {column.name: column.kind for column in found[0].columns}
    time = None if buckets is None else column_of(wide.table, buckets.bucket.column).type
    values = [_values(each, leaf, kinds, time, targets) for each in found]
    shown = {dimension: kinds[target] for dimension, target in zip(question.dimensions, targets, strict=True)}
    shown |= {part: kinds[_of(part)] for part, _ in leaf.parts}
    before = values[1] if len(runs) > 1 else {}
    return LeafAnswer(buckets, time, shown, values[0], before, wide.table.store, watch.sent, watch.ledger)


async def _grouped(
    watch: Watch, leaf: Leaf, wide: MetricTable, targets: Sequence[str], where: Predicate | None, buckets: Over | None
) -> Grouped:
    measure = leaf.definition.measure
    measures = tuple(MeasureOf(function, measure.column, _of(part), measure.fraction) for part, function in leaf.parts)
    groups = Groups(
        wide.table,
        tuple(dict.fromkeys(targets)),
        (*measures, *wide.counts),
        where,
        over=buckets,
        joined=wide.joined,
    )
    found = await grouped_rows(groups, watch.groups)
    wide.require_no_fanout(leaf.row.name, found.rows)
    if found.truncated:
        raise PageTooLarge(f"Metric {leaf.row.name!r} has more than {MAX_GROUPS} groups. Narrow it.")
    return found


def _values(
    found: Grouped, leaf: Leaf, kinds: Mapping[str, Kind], time: ColumnType | None, targets: Sequence[str]
) -> Found:
    return {
        (_moment(row.get(_BUCKET), time), tuple(row[target] for target in targets)): {
            part: _number(row[_of(part)], kinds[_of(part)], leaf) for part, _ in leaf.parts
        }
        for row in found.rows
    }


def _of(part: str) -> str:
    """The name of a part in the store's answer. It differs from all names of columns."""
    return f"={part}"


def _needed(buckets: Over | None, cumulative: Cumulative | None) -> Over | None:
    if buckets is None or cumulative is None:
        return buckets
    return replace(buckets, first=first_needed(cumulative, buckets))


def _time_column(leaf: Leaf, question: LeafQuestion) -> str | None:
    if question.time is None:
        return None
    if leaf.row.time_column is None:
        raise BadInput(f"Metric {leaf.row.name!r} has no column of time. Ask for it without `time`.")
    return leaf.definition.column(leaf.row.time_column)


def _over(table: Table, column: str, time: MetricTime) -> Over:
    return over(
        table,
        column,
        time.unit,
        time_zone=time.time_zone,
        week_start=time.week_start,
        key=_BUCKET,
        first=time.first,
        end=time.end,
        fill=time.fill,
        compare=time.compare,
    )


def renamed(where: Mapping[str, Any] | None, simple: Simple) -> dict[str, Any] | None:
    """Converts a filter over the metric's dimension names to one over columns."""
    if where is None:
        return None
    found: dict[str, Any] = {}
    for name, value in where.items():
        match name, value:
            case "column", str():
                found[name] = simple.column(value)
            case (("and" | "or"), list()):
                found[name] = [renamed(term, simple) for term in value]
            case "not", Mapping():
                found[name] = renamed(value, simple)
            case _:
                found[name] = value
    return found


def compared_columns(where: Mapping[str, Any] | None) -> list[str]:
    """The columns that a filter names."""
    if where is None:
        return []
    found = [where["column"]] if isinstance(where.get("column"), str) else []
    for term in [*(where.get("and") or ()), *(where.get("or") or ()), where.get("not")]:
        found += compared_columns(term)
    return found


def _moment(text: str | None, type_: ColumnType | None) -> Moment | None:
    return None if text is None or type_ is None else moment_of(text, type_)


def _number(value: Any, kind: Kind, leaf: Leaf) -> Number | None:
    match kind:
        case Kind.INTEGER | Kind.FLOAT:
            number: Number | None = value
            return number
        case Kind.BIGINT | Kind.NUMERIC:
            return None if value is None else Decimal(value)
        case _:
            raise BadInput(f"Metric {leaf.row.name!r} is not a number: its values are of kind {kind}.")
