"""Compiles groups and their measures to JSON text. Types and the treatment of NaN are those of every store:
loaders/expression.py.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql.elements import ColumnElement

from loaders.description import ColumnType, Kind, Table
from loaders.errors import BadInput
from loaders.expression import expression_type, having_table, measure_type, sortable
from loaders.order import nulls_first
from loaders.postgres.bucket import first_instant
from loaders.postgres.expression import NAN, from_clause, sort_key, sql_expression
from loaders.postgres.json_text import Part, Text, concat, json_constant, json_object, json_value
from loaders.postgres.limit import row_limit
from loaders.postgres.predicate import condition
from loaders.postgres.rows import Source, conditions, of
from loaders.read import (
    Aggregate,
    AggregateFunction,
    Bucket,
    Expression,
    Figures,
    Having,
    Join,
    Literal,
    Masked,
    Measure,
    Read,
    figure,
)

_TINY = sa.literal_column("1e-307", sa.Numeric)
_HUGE = sa.literal_column("1.7976931348623157e308", sa.Numeric)
_SORTED = (AggregateFunction.MIN, AggregateFunction.MAX, AggregateFunction.PERCENTILE)
_INFINITY = sa.literal_column("'Infinity'::float8", sa.Double)


def aggregate_text(aggregate: Aggregate, read: Read, join: Join | None, outer: Source | None) -> Text:
    """The list of groups as JSON text; without `group_by`, a list with one object over all matching rows.

    Raises `BadInput` if a function does not apply to the type of its column, or an entry is neither a measure nor a
    group key. With more than `bound` groups the statement fails (loaders/postgres/errors.py tells why).
    """
    source = from_clause(read.table)
    values = _values(aggregate, read.table, source)
    selected = [value.label(f"v{position}") for position, value in enumerate(values.values())]
    rows = sa.select(*selected or [sa.literal_column("1").label("one")]).select_from(source)
    matched = of(outer, rows.where(*conditions(read, join, outer, source))).subquery()
    columns: dict[tuple[Expression, bool], ColumnElement[Any]] = dict(
        zip(values, (matched.c[label.name] for label in selected), strict=True)
    )
    entries = [(key, _entry(entry, read.table, columns)) for key, entry in aggregate.entries]
    text = json_object(entries)
    if not aggregate.group_by:
        one = sa.select(text).select_from(matched).having(sa.true())  # one group even where nothing is measured
        return concat(["[", one.scalar_subquery(), "]"])
    keys = [columns[expression, True] for expression in aggregate.group_by]
    ordered = [_order_key(term.by, read.table, columns) for term in aggregate.order]
    labelled = [key.label(f"k{position}") for position, key in enumerate((*ordered, *keys))]
    grouped = sa.select(text.label("item"), *labelled).select_from(matched).group_by(*keys)
    if aggregate.having is not None:
        grouped = _held(grouped, aggregate.having, read.table, columns)
    run = _run(aggregate, list(grouped.selected_columns)[1:])
    limit = None if aggregate.fetched is None else row_limit(aggregate.fetched)
    groups = grouped.order_by(*run).limit(limit).subquery()
    separator: ColumnElement[str] = aggregate_order_by(
        sa.literal_column("','"), *_run(aggregate, [groups.c[label.name] for label in labelled])
    )
    items = sa.func.coalesce(sa.func.string_agg(groups.c.item, separator), sa.literal_column("''"), type_=sa.Text)
    answer = concat(["[", items, "]"])
    if aggregate.bound is not None:
        answer = sa.case((_within(aggregate.bound), answer))
    return sa.select(answer).select_from(groups).scalar_subquery()


def _values(aggregate: Aggregate, table: Table, source: Source) -> dict[tuple[Expression, bool], ColumnElement[Any]]:
    """The expressions needed from the rows, each once: as they are (False), or in the form they sort by (True)."""
    values: dict[tuple[Expression, bool], ColumnElement[Any]] = {}
    for group in aggregate.group_by:
        sortable(group, table)
        values[group, True] = sort_key(group, table, source, rough=True)
    for entry in (*aggregate.figures, *aggregate.hidden):
        match entry:
            case Measure(function, expression):
                measure_type(entry, table)
                if expression is not None and function in _SORTED:
                    values.setdefault((expression, True), sort_key(expression, table, source, rough=True))
                elif expression is not None:
                    values[expression, False] = sql_expression(expression, table, source)
            case Literal():
                pass
            case _ if entry not in aggregate.group_by:
                raise BadInput("Only columns of `groupBy` may stand beside the figures of an aggregate.")
    return values


def _entry(
    entry: Expression | Measure | Literal | Figures,
    table: Table,
    columns: dict[tuple[Expression, bool], ColumnElement[Any]],
) -> Part:
    match entry:
        case Literal(value):
            return json_constant(value)
        case Figures(entries):
            return json_object((key, _entry(below, table, columns)) for key, below in entries)
        case Measure():
            return json_value(_measure(entry, table, columns), measure_type(entry, table), nullable=True)
        case group:
            return json_value(_whole(group, columns[group, True]), expression_type(group, table), nullable=True)


def _whole(expression: Expression, value: ColumnElement[Any]) -> ColumnElement[Any]:
    """The value of a group key as it is shown. Computed once for each group rather than for each of its rows."""
    match expression:
        case (Bucket() as truncated) | Masked(Bucket() as truncated):
            return first_instant(truncated, value)
        case _:
            return value


def _measure(
    measure: Measure, table: Table, columns: dict[tuple[Expression, bool], ColumnElement[Any]]
) -> ColumnElement[Any]:
    if measure.expression is None:
        return sa.func.count()
    value = columns[measure.expression, measure.function in _SORTED]
    if measure.function in _SORTED:
        value = _whole(measure.expression, value)
    return _measured(measure, value, expression_type(measure.expression, table))


def _measured(measure: Measure, value: ColumnElement[Any], operand: ColumnType) -> ColumnElement[Any]:
    function = measure.function
    match function:
        case AggregateFunction.COUNT:
            return sa.func.count(value)
        case AggregateFunction.COUNT_DISTINCT:
            return sa.func.count(sa.distinct(value))
        case AggregateFunction.SUM:
            return sa.func.sum(value)
        case AggregateFunction.AVG:
            return _double(sa.func.avg(value), operand)
        case AggregateFunction.MIN | AggregateFunction.MAX:
            return _extreme(function, value, operand)
        case AggregateFunction.STDDEV:
            return _double(sa.func.stddev_samp(value), operand)
        case AggregateFunction.PERCENTILE:
            fraction = sa.bindparam(None, measure.fraction, sa.Double)
            return sa.func.percentile_cont(fraction).within_group(_sorted_double(value, operand))


def _double(average: ColumnElement[Any], operand: ColumnType) -> ColumnElement[Any]:
    """As a double. A plain cast of a numeric outside the range of doubles would fail the statement: too small becomes
    0, too large or NaN null.
    """
    if operand.kind is not Kind.NUMERIC:
        return sa.cast(average, sa.Double)
    size = sa.func.abs(average)
    number = sa.cast(average, sa.Double)
    return sa.case((size < _TINY, sa.literal_column("0::float8", sa.Double)), (size <= _HUGE, number))


def _extreme(function: AggregateFunction, value: ColumnElement[Any], operand: ColumnType) -> ColumnElement[Any]:
    """MIN or MAX. Postgres 17 has neither for booleans and UUIDs; the text of UUIDs sorts in the same order."""
    smallest = function is AggregateFunction.MIN
    if operand.kind is Kind.BOOLEAN:
        return sa.func.bool_and(value) if smallest else sa.func.bool_or(value)
    extreme = sa.func.min if smallest else sa.func.max
    if operand.kind is Kind.UUID:
        return sa.cast(extreme(sa.cast(value, sa.Text)), sa.Uuid)
    return extreme(value)


def _sorted_double(value: ColumnElement[Any], operand: ColumnType) -> ColumnElement[Any]:
    """As a double that sorts correctly: a numeric beyond the range of doubles is infinite; NaN (the greatest numeric)
    is left out.
    """
    if operand.kind is not Kind.NUMERIC:
        return sa.cast(value, sa.Double)
    nan = sa.literal_column("'NaN'::numeric", sa.Numeric)
    return sa.case(
        (value == nan, sa.null()),
        (value > _HUGE, _INFINITY),
        (value < -_HUGE, -_INFINITY),
        else_=_double(value, operand),
    )


# --- groups -----------------------------------------------------------------------------------------------------------


def _held(
    grouped: sa.Select[Any],
    having: Having,
    table: Table,
    columns: dict[tuple[Expression, bool], ColumnElement[Any]],
) -> sa.Select[Any]:
    """The groups that satisfy `having`: a select over the grouped rows and their measures."""
    measures = [_measure(measure, table, columns).label(figure(n)) for n, measure in enumerate(having.measures)]
    names = [column.name for column in grouped.selected_columns]
    measured = grouped.add_columns(*measures).subquery()
    held = condition(having.where, having_table(having, table), measured)
    return sa.select(*(measured.c[name] for name in names)).where(held)


def _order_key(
    by: Expression | Measure, table: Table, columns: dict[tuple[Expression, bool], ColumnElement[Any]]
) -> ColumnElement[Any]:
    """The expression that groups are ordered by. NaN sorts as null, as it does everywhere."""
    if not isinstance(by, Measure):
        return columns[by, True]
    value = _measure(by, table, columns)
    return sa.func.nullif(value, NAN) if measure_type(by, table).kind is Kind.FLOAT else value


def _run(aggregate: Aggregate, keys: list[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    """The ORDER BY of groups over these columns: first the terms of `order`, then the group keys."""
    terms: list[ColumnElement[Any]] = []
    for term, key in zip(aggregate.order, keys, strict=False):
        directed = key.desc() if term.descending else key.asc()
        terms.append(directed.nulls_first() if nulls_first(term) else directed.nulls_last())
    return [*terms, *keys[len(aggregate.order) :]]


def _within(bound: int) -> ColumnElement[bool]:
    """True for at most `bound` groups; for more, evaluating it fails (SQLSTATE 2201G), since Postgres has no expression
    that raises an error.
    """
    left = sa.cast(
        sa.func.greatest(sa.literal_column(str(bound + 1)) - sa.func.count(), sa.literal_column("0")), sa.Integer
    )
    low, high = (sa.literal_column(f"{number}::float8", sa.Double) for number in (0, 1))
    return sa.func.width_bucket(low, low, high, left, type_=sa.Integer) == sa.literal_column("1")
