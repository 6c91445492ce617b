"""Compiles statements that describe the values of columns: figures, histograms, frequent values. Pure.

Each is about the rows of a `Portion`, and names only the columns it is given, so no others are read.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from loaders.columnar.binder import ROW, Binder, column
from loaders.columnar.dialect import Dialect
from loaders.columnar.predicate import condition
from loaders.columnar.statement import OutputColumn, Statement
from loaders.description import Column, ColumnType, Kind, Table
from loaders.encode.value import SORTABLE
from loaders.expression import COUNT
from loaders.read import AggregateFunction, Col, Measure, Predicate

_FLOAT = ColumnType(Kind.FLOAT)
_WIDE = ColumnType(Kind.BIGINT)


@dataclass(frozen=True, slots=True)
class Portion:
    """The rows of a table that match `where`, or the first `limit` of them that the engine finds (None: all)."""

    table: Table
    where: Predicate | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class FigurePositions:
    """The positions of a column's figures in the answer of `figures_statement`; None for those that its type does not
    have.
    """

    present: int
    finite: int | None = None
    distinct: int | None = None
    min: int | None = None
    max: int | None = None


def figures_statement(
    portion: Portion, columns: Sequence[Column], dialect: Dialect, *, approximate: bool
) -> tuple[Statement, tuple[FigurePositions, ...]]:
    """One row: the number of rows, then the figures of each column.

    `approximate`: distinct values by the engine's estimating function. Minimum and maximum of floats are those of
    finite values, whose number is `finite`.
    """
    binder = Binder(dialect, portion.table)
    selected: list[tuple[exp.Expr, ColumnType]] = [(exp.Count(this=exp.Star()), COUNT)]
    positions = []

    def add(value: exp.Expr, type_: ColumnType) -> int:
        selected.append((value, type_))
        return len(selected) - 1

    for each in columns:
        value, type_ = binder.column(each.name), each.type
        count = Measure(AggregateFunction.COUNT, Col(each.name))
        present = add(dialect.measure(count, value, type_), COUNT)
        if type_.kind not in SORTABLE:
            positions.append(FigurePositions(present))
            continue
        key = binder.sort_key(Col(each.name), type_)
        if type_.kind is Kind.FLOAT:  # -0.0 and 0.0 are one value, which ClickHouse counts as two
            key = exp.Add(this=exp.Paren(this=key), expression=exp.Literal.number(0))
        if approximate:
            distinct = add(dialect.approximate_distinct(key), COUNT)
        else:
            exact = Measure(AggregateFunction.COUNT_DISTINCT, Col(each.name))
            distinct = add(dialect.measure(exact, key, type_), COUNT)
        within = _finite(each, binder) if type_.kind is Kind.FLOAT else key
        finite = add(dialect.measure(count, within.copy(), type_), COUNT) if type_.kind is Kind.FLOAT else None
        extremes = [
            add(dialect.measure(Measure(function, Col(each.name)), within.copy(), type_), type_)
            for function in (AggregateFunction.MIN, AggregateFunction.MAX)
        ]
        positions.append(FigurePositions(present, finite, distinct, *extremes))
    return _statement(portion, columns, selected, binder), tuple(positions)


def histogram_statement(
    portion: Portion, edges: Sequence[tuple[Column, Sequence[object]]], dialect: Dialect
) -> Statement:
    """One row with, for each column, the number of values below its first edge, between edges (`[a, b)`), and from the
    last edge on.

    Nulls and values that are not finite are not counted.
    """
    binder = Binder(dialect, portion.table)
    selected: list[tuple[exp.Expr, ColumnType]] = []
    for each, inner in edges:
        kind = each.type.kind
        value = _finite(each, binder) if kind is Kind.FLOAT else binder.column(each.name)
        bound = [binder.bind(edge, each.type) for edge in inner]
        for low, high in zip([None, *bound], [*bound, None], strict=True):
            held: list[exp.Expr] = []
            if low is not None:
                held.append(exp.GTE(this=value.copy(), expression=low.copy()))
            if high is not None:
                held.append(exp.LT(this=value.copy(), expression=high.copy()))
            counted = exp.Case(ifs=[exp.If(this=exp.and_(*held), true=value.copy())]) if held else value.copy()
            measure = Measure(AggregateFunction.COUNT, Col(each.name))
            selected.append((dialect.measure(measure, counted, each.type), COUNT))
    return _statement(portion, [each for each, _ in edges], selected, binder)


def frequent_statement(portion: Portion, each: Column, dialect: Dialect, *, limit: int) -> Statement:
    """The most frequent values and their counts: highest count first, then by value. Nulls are left out."""
    binder = Binder(dialect, portion.table)
    key = binder.column(each.name)
    selected: list[tuple[exp.Expr, ColumnType]] = [
        (dialect.projection(key, each.type), each.type),
        (exp.Count(this=exp.Star()), _WIDE),
    ]
    query, columns = _query(portion, [each], selected, binder)
    query = query.where(exp.not_(exp.Is(this=key.copy(), expression=exp.null())), copy=False).group_by(key.copy())
    outer = exp.select(*(exp.alias_(column(c.name), c.name, quoted=True) for c in columns))
    outer = outer.from_(query.subquery(ROW, copy=False), copy=False)
    outer = outer.order_by(exp.Ordered(this=column("c1"), desc=True), exp.Ordered(this=column("c0"))).limit(limit)
    return Statement(outer.sql(dialect=dialect.name, copy=False), tuple(binder.parameters), columns)


def values_statement(portion: Portion, columns: Sequence[Column], dialect: Dialect) -> Statement:
    """The columns of the portion's rows, unordered."""
    binder = Binder(dialect, portion.table)
    selected = [(dialect.projection(binder.column(each.name), each.type), each.type) for each in columns]
    return _statement(portion, columns, selected, binder)


def _finite(each: Column, binder: Binder) -> exp.Expr:
    """The float, or null if it is infinite or NaN."""
    value = binder.sort_key(Col(each.name), each.type)
    low, high = (binder.bind(bound, _FLOAT) for bound in (-sys.float_info.max, sys.float_info.max))
    held = exp.and_(exp.GTE(this=value, expression=low), exp.LTE(this=value.copy(), expression=high))
    return exp.Case(ifs=[exp.If(this=held, true=value.copy())])


def _statement(
    portion: Portion, columns: Sequence[Column], selected: Sequence[tuple[exp.Expr, ColumnType]], binder: Binder
) -> Statement:
    query, answered = _query(portion, columns, selected, binder)
    return Statement(query.sql(dialect=binder.dialect.name, copy=False), tuple(binder.parameters), answered)


def _query(
    portion: Portion, columns: Sequence[Column], selected: Sequence[tuple[exp.Expr, ColumnType]], binder: Binder
) -> tuple[exp.Select, tuple[OutputColumn, ...]]:
    answered = tuple(OutputColumn(f"c{position}", type_) for position, (_, type_) in enumerate(selected))
    named = [
        exp.alias_(value, output.name, quoted=True, copy=False)
        for (value, _), output in zip(selected, answered, strict=True)
    ]
    table = portion.table
    rows = exp.table_(table.name, db=table.schema, quoted=True, alias=ROW)
    where = [] if portion.where is None else [condition(portion.where, table, binder)]
    if portion.limit is None:
        return exp.Select().select(*named, copy=False).from_(rows, copy=False).where(*where, copy=False), answered
    inner = [exp.alias_(column(each.name), each.name, quoted=True) for each in columns]
    some = exp.Select().select(*inner, copy=False).from_(rows, copy=False).where(*where, copy=False)
    some = some.limit(portion.limit, copy=False)
    return exp.Select().select(*named, copy=False).from_(some.subquery(ROW, copy=False), copy=False), answered
