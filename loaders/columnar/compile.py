"""Compiles a `Read` to the statements of one columnar store: at most one for rows, one count, and one per aggregate.
Pure.

With `keys` it is the batch of a data loader: the same page for each key in one statement (top-n per key), counts and
aggregates grouped by key, and the key's columns first in every answer.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from loaders.columnar.binder import ROW, Binder, column, without_nan
from loaders.columnar.dialect import Dialect
from loaders.columnar.joins import joined_to
from loaders.columnar.measure import measured
from loaders.columnar.needed import expressions_of, needed_expressions
from loaders.columnar.order import keyset, order_clause
from loaders.columnar.predicate import condition
from loaders.columnar.statement import OutputColumn, Statement
from loaders.description import ColumnType, Kind, Table
from loaders.errors import BadInput
from loaders.expression import COUNT, expression_type, having_table, measure_type, sortable
from loaders.order import flipped, nulls_first, total_order
from loaders.read import (
    Aggregate,
    AggregateFunction,
    Col,
    Edges,
    Expression,
    Literal,
    Measure,
    Nodes,
    OrderBy,
    PageInfo,
    Read,
    TotalCount,
    figure,
    is_never,
)

_COUNT_ROWS = Measure(AggregateFunction.COUNT)


@dataclass(frozen=True, slots=True)
class Keys:
    """Rows whose `columns` equal one of `values`, which are distinct and hold no null."""

    columns: tuple[str, ...]
    values: tuple[tuple[object, ...], ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """The statement of the page. If it has a limit, it asks for one row more (per key), which tells whether more rows
    follow.

    Rows come in the order of the page, reversed if the page is backward. `expressions[i]` is in column `c{i}`.
    """

    statement: Statement
    expressions: tuple[Expression, ...]

    def position(self, expression: Expression) -> int:
        return self.expressions.index(expression)


@dataclass(frozen=True, slots=True)
class Compiled:
    """The statements for the store. A part is None if the read does not want it; all are if `never`: no row can
    match.
    """

    order: tuple[OrderBy, ...]
    rows: Rows | None = None
    total: Statement | None = None
    aggregates: tuple[tuple[Aggregate, Statement], ...] = ()
    never: bool = False


def compile_read(read: Read, dialect: Dialect, *, keys: Keys | None = None) -> Compiled:
    """Raises `BadInput` (or `UnknownColumn`) if the read does not fit its table. Cursors need a key, or count ties."""
    order = total_order(read.order, read.table)
    if read.page.backward and not read.table.key:
        raise BadInput(f"Table {read.table.name} has no key, so its end is not defined. Read it with `first`.")
    if is_never(read.where) or (keys is not None and not keys.values):
        return Compiled(order=order, never=True)
    parts = [part for _, part in read.connection.entries] if read.connection else []
    aggregates = dict.fromkeys(part for part in parts if isinstance(part, Aggregate))
    wants_rows = read.connection is None or any(isinstance(part, Nodes | Edges | PageInfo) for part in parts)
    return Compiled(
        order=order,
        rows=_rows(read, order, dialect, keys) if wants_rows else None,
        total=_total(read, dialect, keys) if any(isinstance(part, TotalCount) for part in parts) else None,
        aggregates=tuple((aggregate, _aggregate(read, aggregate, dialect, keys)) for aggregate in aggregates),
    )


def compile_stream(read: Read, dialect: Dialect) -> Rows:
    """All rows of `read.fields`, unsorted unless an order or a limit is asked for, since sorting would delay the
    stream.
    """
    if read.page.backward:
        raise BadInput("A stream runs forward. Turn the order around instead of reading backward.")
    order = total_order(read.order, read.table) if read.order or read.page != type(read.page)() else ()
    binder = Binder(dialect, read.table, read.joined)
    expressions = expressions_of(read.fields)
    query, columns = _select(read, expressions, binder)
    query = query.where(*_filters(read, order, binder, None), copy=False)
    query = _sorted(query, order_clause(order, read.table, binder))
    query = _cut(query, read, read.page.limit, dialect)
    return Rows(_statement(query, binder, columns), expressions)


def _rows(read: Read, order: tuple[OrderBy, ...], dialect: Dialect, keys: Keys | None) -> Rows:
    binder = Binder(dialect, read.table, read.joined)
    expressions = needed_expressions(read, order, _key_expressions(keys))
    query, columns = _select(read, expressions, binder)
    run = flipped(order) if read.page.backward else order
    query = query.where(*_filters(read, order, binder, keys), copy=False)
    terms = order_clause(run, read.table, binder)
    limit = 1 if read.connection is None else None if read.page.limit is None else read.page.limit + 1
    query = _sorted(query, terms)
    if keys is None:
        query = _cut(query, read, limit, dialect)
    elif limit is not None:
        query = dialect.top_per_key(query, [column(name) for name in keys.columns], terms, limit)
    return Rows(_statement(query, binder, columns), expressions)


def _cut(query: exp.Select, read: Read, limit: int | None, dialect: Dialect) -> exp.Select:
    """At most `limit` rows, without those ties of the cursor that earlier pages have shown."""
    skipped = read.page.ties if read.page.after is not None else None
    if skipped and limit is None:
        limit = dialect.limit_beside_offset
    if limit is not None:
        query.set("limit", exp.Limit(expression=exp.Literal.number(limit)))
    if skipped:
        query.set("offset", exp.Offset(expression=exp.Literal.number(skipped)))
    return query


def _total(read: Read, dialect: Dialect, keys: Keys | None) -> Statement:
    binder = Binder(dialect, read.table, read.joined)
    query, columns = _select(read, _key_expressions(keys), binder, measures=[_COUNT_ROWS])
    query = query.where(*_filters(read, None, binder, keys), copy=False)
    if keys is not None:
        query = query.group_by(*(column(name) for name in keys.columns), copy=False)
    return _statement(query, binder, columns)


def _aggregate(read: Read, aggregate: Aggregate, dialect: Dialect, keys: Keys | None) -> Statement:
    """The columns are those of the key, then the group keys, then the measures of the entries in order."""
    binder = Binder(dialect, read.table, read.joined)
    key_columns = [column(name) for name in keys.columns] if keys else []
    groups = [(group, sortable(group, read.table)) for group in aggregate.group_by]
    for entry in aggregate.figures:
        if not isinstance(entry, Measure | Literal) and entry not in aggregate.group_by:
            raise BadInput("Only columns of `groupBy` may stand beside the figures of an aggregate.")
    measures = [entry for entry in aggregate.figures if isinstance(entry, Measure)]
    if not (measures or aggregate.group_by):
        measures = [_COUNT_ROWS]  # without a measure the rows would not become one group
    query, columns = _select(read, _key_expressions(keys), binder, groups=aggregate.group_by, measures=measures)
    hidden = [measured(measure, binder)[0] for measure in aggregate.hidden]
    named = [exp.alias_(value, figure(n), quoted=True, copy=False) for n, value in enumerate(hidden)]
    query = query.select(*named, copy=False)
    query = query.where(*_filters(read, None, binder, keys), copy=False)
    group_keys = [binder.sort_key(group, column_type) for group, column_type in groups]
    if key_columns or group_keys:
        query = query.group_by(*key_columns, *(group.copy() for group in group_keys), copy=False)
    if aggregate.having is not None or aggregate.order or dialect.groups_are_sorted_outside:
        query = _grouped(query, columns)
        names = [output.name for output in columns]
        key_columns = [column(name) for name in names[: len(key_columns)]]
        group_keys = [column(name) for name in names[len(key_columns) : len(key_columns) + len(group_keys)]]
    if aggregate.having is not None:
        held = condition(aggregate.having.where, having_table(aggregate.having, read.table), binder)
        query = query.where(held, copy=False)
    terms = _group_order(aggregate, group_keys, read.table)
    terms += [exp.Ordered(this=group, desc=False, nulls_first=False) for group in group_keys]
    query = _sorted(query, terms)
    if aggregate.fetched is not None and aggregate.group_by:
        if keys is None:
            query.set("limit", exp.Limit(expression=exp.Literal.number(aggregate.fetched)))
        else:
            query = dialect.top_per_key(query, key_columns, terms, aggregate.fetched)
    return _statement(query, binder, columns)


def _grouped(grouped: exp.Select, columns: tuple[OutputColumn, ...]) -> exp.Select:
    """A select over the groups, with hidden measures that conditions and orders can name."""
    shown = [exp.alias_(column(output.name), output.name, quoted=True, copy=False) for output in columns]
    return exp.Select().select(*shown, copy=False).from_(grouped.subquery(ROW, copy=False), copy=False)


def _group_order(aggregate: Aggregate, group_keys: Sequence[exp.Expr], table: Table) -> list[exp.Expr]:
    measures = itertools.count(len(aggregate.having.measures) if aggregate.having is not None else 0)
    terms: list[exp.Expr] = []
    for term in aggregate.order:
        if isinstance(term.by, Measure):
            value: exp.Expr = column(figure(next(measures)))
            if measure_type(term.by, table).kind is Kind.FLOAT:
                value = without_nan(value)
        else:
            value = group_keys[aggregate.group_by.index(term.by)].copy()
        terms.append(exp.Ordered(this=value, desc=term.descending, nulls_first=nulls_first(term)))
    return terms


def _select(
    read: Read,
    expressions: Sequence[Expression],
    binder: Binder,
    *,
    groups: Sequence[Expression] = (),
    measures: Sequence[Measure] = (),
) -> tuple[exp.Select, tuple[OutputColumn, ...]]:
    """The FROM clause and the columns: expressions, group keys, measures. A constant if no column is needed."""
    dialect, table = binder.dialect, read.table
    selected: list[tuple[exp.Expr, ColumnType]] = []
    for expression in expressions:
        column_type = expression_type(expression, table)
        selected.append((dialect.projection(binder.expression(expression), column_type), column_type))
    for group in groups:
        column_type = sortable(group, table)
        selected.append((dialect.projection(binder.sort_key(group, column_type), column_type), column_type))
    for measure in measures:
        selected.append(measured(measure, binder))
    if not selected:
        selected.append((exp.Literal.number(1), COUNT))
    columns = tuple(OutputColumn(f"c{position}", column_type) for position, (_, column_type) in enumerate(selected))
    aliased = [
        exp.alias_(value, output.name, quoted=True, copy=False)
        for (value, _), output in zip(selected, columns, strict=True)
    ]
    source = exp.table_(table.name, db=table.schema, quoted=True, alias=ROW)
    query = exp.Select().select(*aliased, copy=False).from_(source, copy=False)
    return joined_to(query, read.joined, binder), columns


def _sorted(query: exp.Select, terms: Sequence[exp.Expr]) -> exp.Select:
    return query.order_by(*terms, copy=False) if terms else query


def _filters(read: Read, order: tuple[OrderBy, ...] | None, binder: Binder, keys: Keys | None) -> list[exp.Expr]:
    """The predicate, the keys and, if an order is given, the keyset conditions of the page."""
    table = read.table
    filters = []
    if keys is not None:
        types = [table.column(name).type for name in keys.columns]
        filters.append(binder.dialect.one_of([column(name) for name in keys.columns], types, keys.values, binder))
    if read.where is not None:
        filters.append(condition(read.where, table, binder))
    if order is not None and read.page.after is not None:
        filters.append(keyset(order, read.page.after, table, binder, read.page.ties))
    if order is not None and read.page.until is not None:
        terms = flipped(order[: len(read.page.until)])
        filters.append(keyset(terms, read.page.until, table, binder, read.page.ties))
    if order is not None and read.page.before is not None:
        filters.append(keyset(flipped(order), read.page.before, table, binder))
    return filters


def _key_expressions(keys: Keys | None) -> tuple[Expression, ...]:
    return tuple(Col(name) for name in keys.columns) if keys else ()


def _statement(query: exp.Select, binder: Binder, columns: tuple[OutputColumn, ...]) -> Statement:
    return Statement(query.sql(dialect=binder.dialect.name, copy=False), tuple(binder.parameters), columns)
