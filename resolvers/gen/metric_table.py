"""The table of a simple metric, extended by the requested columns of joined tables."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from loaders.concurrently import concurrently
from loaders.description import Column, Kind, Table
from loaders.errors import BadInput, MetricFanout, NotFound, UnknownColumn
from loaders.expression import COUNT, expression_type, measure_type
from loaders.read import AggregateFunction, Col, Expression, Joined, Measure
from resolvers.context import Context
from resolvers.gen.group_read import MeasureOf
from resolvers.gen.metric_definition import Simple
from resolvers.gen.metric_join import MetricJoin
from resolvers.gen.row_filter import predicate
from resolvers.gen.rows import column_of
from resolvers.gen.tables import describe_table

_OF_DIFFERENT = frozenset({AggregateFunction.MIN, AggregateFunction.MAX, AggregateFunction.COUNT_DISTINCT})
"""Aggregates that do not change when a row is repeated."""
_WHOLE = frozenset({Kind.INTEGER, Kind.BIGINT, Kind.NUMERIC})
_KEYS = _WHOLE | {Kind.TEXT, Kind.UUID, Kind.DATE, Kind.TIMESTAMP, Kind.BOOLEAN, Kind.H3}


@dataclass(frozen=True, slots=True)
class MetricTable:
    """`table` has its own columns and the joined ones. `variants` maps columns with counts to their joins."""

    table: Table
    joined: tuple[Joined, ...]
    variants: Mapping[str, MetricJoin]

    @property
    def counts(self) -> tuple[MeasureOf, ...]:
        """Additional measures that show how many distinct joined rows a key of the group has at most."""
        return tuple(MeasureOf(AggregateFunction.MAX, name, name) for name in self.variants)

    def require_no_fanout(self, metric: str, groups: Sequence[Mapping[str, object]]) -> None:
        """Raises `MetricFanout` when a group has rows whose key matches several distinct rows of a join."""
        for name, join in self.variants.items():
            most = max((found for row in groups if isinstance(found := row[name], int)), default=0)
            if most > 1:
                raise _fanout(metric, join, f"a key has up to {most} different rows there, and may have one")


async def metric_table(
    context: Context, dataset_id: UUID, metric: str, table_name: str, simple: Simple, names: Collection[str]
) -> MetricTable:
    """Builds the table. `names` are columns of the metric's table or of its joins; only joins needed for them are made.

    `NotFound` for a table that does not exist or that the caller may not see, `UnknownColumn` for a column, `BadInput`
    for join columns that cannot be equal, `MetricFanout` when a join would multiply the metric.
    """
    own = await described(context, dataset_id, metric, table_name)
    joins = {join.name: join for join in simple.joins or ()}
    asked = _asked(metric, own, joins, names)
    wanted = [join for join in joins.values() if join.name in asked]
    tables = await concurrently(described(context, dataset_id, metric, join.table) for join in wanted)
    wide, joined, variants = own, list[Joined](), dict[str, MetricJoin]()
    for join, table in zip(wanted, tables, strict=True):
        _require_equal(metric, join, wide, table)
        for part in _parts(metric, join, table, asked[join.name], simple):
            wide = replace(wide, columns=(*wide.columns, *_columns(part)))
            joined.append(part)
            if part.variants is not None:
                variants[part.variants] = join
    return MetricTable(wide, tuple(joined), variants)


async def described(context: Context, dataset_id: UUID, metric: str, name: str) -> Table:
    """Describes a table. `NotFound` when it does not exist or the caller may not see it."""
    table = await describe_table(context, dataset_id, name)
    if table is None:
        raise NotFound(f"There is no table {name!r} in this dataset, which metric {metric!r} is made of.")
    return table


def _asked(
    metric: str, own: Table, joins: Mapping[str, MetricJoin], names: Collection[str]
) -> dict[str, dict[str, None]]:
    """The columns needed of each join, including those that later joins refer to."""
    asked: dict[str, dict[str, None]] = {}
    for name in names:
        of, _, column = name.partition(".")
        if own.has_column(name):
            if of in joins and column:
                raise BadInput(f"Metric {metric!r}: {name!r} is a column of {own.name} and of join {of!r}. Rename it.")
            continue
        if of not in joins or not column:
            known = ", ".join([each.name for each in own.columns[:50]] + [join.named("…") for join in joins.values()])
            raise UnknownColumn(f"Metric {metric!r} has no column {name!r}. There are: {known}.")
        asked.setdefault(of, {})[column] = None
    for join in reversed(list(joins.values())):
        if join.name in asked and join.from_ is not None:
            asked.setdefault(join.from_, {}).update(dict.fromkeys(pair.column for pair in join.on))
    return asked


def own_name(join: MetricJoin, column: str) -> str:
    """The name of the join's own column in the metric's table."""
    return column if join.from_ is None else f"{join.from_}.{column}"


def _require_equal(metric: str, join: MetricJoin, wide: Table, table: Table) -> None:
    for pair in join.on:
        left = column_of(wide, own_name(join, pair.column)).type.kind
        right = column_of(table, pair.equals).type.kind
        if not ({left, right} <= _WHOLE or (left is right and left in _KEYS)):
            raise BadInput(
                f"Metric {metric!r}: join {join} compares {left} with {right}. Join by columns of one type that are "
                "no fractions."
            )


def _parts(metric: str, join: MetricJoin, table: Table, names: Collection[str], simple: Simple) -> list[Joined]:
    on = tuple((own_name(join, pair.column), pair.equals) for pair in join.on)
    where = predicate(None if join.where is None else join.where.given, table)
    columns: list[tuple[str, Expression | Measure]] = []
    measures: list[tuple[str, Expression | Measure]] = []
    for name in names:
        measure = join.measure(name)
        if measure is None:
            columns.append((join.named(name), Col(column_of(table, name).name)))
            continue
        of = None if measure.column is None else Col(column_of(table, measure.column).name)
        measures.append((join.named(name), Measure(measure.aggregate, of, measure.fraction)))
    parts = [Joined(table, on, tuple(measures), where)] if measures else []
    if not columns:
        return parts
    multiplies = join.cardinality == "ONE_TO_MANY"
    if multiplies and simple.measure.aggregate not in _OF_DIFFERENT:
        raise _fanout(metric, join, f"it is {join.cardinality}, and {simple.measure.function} counts a row each time")
    variants = None if multiplies else join.named("")
    return [*parts, Joined(table, on, tuple(columns), where, variants)]


def _columns(part: Joined) -> list[Column]:
    types = [
        (name, measure_type(shown, part.table) if isinstance(shown, Measure) else expression_type(shown, part.table))
        for name, shown in part.columns
    ]
    if part.variants is not None:
        types.append((part.variants, COUNT))
    return [Column(name, type_) for name, type_ in types]


def _fanout(metric: str, join: MetricJoin, reason: str) -> MetricFanout:
    return MetricFanout(
        f"Join {join} would multiply metric {metric!r}: {reason}. Give the join a `where` that leaves one row for each "
        f"key, or `measures` that aggregate {join.table!r} by the key first, or make it a metric of {join.table!r}.",
        join=join.name,
    )
