"""Joins that keep one row per key: the joined table is grouped by its key first, so that no row is multiplied."""

from collections.abc import Sequence

from sqlglot import exp

from loaders.columnar.binder import ROW, VARIANTS, Binder, column, join_alias
from loaders.columnar.measure import measured
from loaders.columnar.predicate import condition
from loaders.description import ColumnType, Kind, Table
from loaders.expression import expression_type, sortable
from loaders.read import AggregateFunction, Col, Expression, Joined, Measure

_LEAST = Measure(AggregateFunction.MIN)
"""For values that are all equal it is that value; on every engine it is null when no row matches."""


def joined_to(query: exp.Select, joins: Sequence[Joined], binder: Binder) -> exp.Select:
    """The query with the columns of each join, under the names that `binder` uses."""
    for position, joined in enumerate(joins):
        alias = join_alias(position)
        within = binder.of(joined.table)
        met = [
            exp.EQ(
                this=_key(binder.column(own), _kind(own, binder.table), binder),
                expression=exp.column(f"k{place}", alias, quoted=True),
            )
            for place, (own, _) in enumerate(joined.on)
        ]
        select = _one_for_each_key(joined, within)
        query = query.join(select.subquery(alias), on=exp.and_(*met), join_type="left", copy=False)
    return query


def _one_for_each_key(joined: Joined, binder: Binder) -> exp.Select:
    """The columns are the key (`k{n}`), `c{n}` for `joined.columns`, and the variants."""
    table = joined.table
    keys = [_key(binder.column(name), _kind(name, table), binder) for _, name in joined.on]
    measures = [(place, shown) for place, (_, shown) in enumerate(joined.columns) if isinstance(shown, Measure)]
    source = exp.table_(table.name, db=table.schema, quoted=True, alias=ROW)
    if measures:
        select = [*_named("k", keys), *(_as(measured(shown, binder)[0], f"c{place}") for place, shown in measures)]
        return _grouped(select, keys, _from(source, joined, binder))
    values = [_sorted(shown, binder) for _, shown in joined.columns if not isinstance(shown, Measure)]
    different = _grouped([*_named("x", keys), *_named("y", values)], [*keys, *values], _from(source, joined, binder))
    keys = [column(f"x{place}") for place in range(len(keys))]
    values = [column(f"y{place}") for place in range(len(values))]
    least = [
        binder.dialect.measure(_LEAST, value.copy(), expression_type(shown, table))
        for value, (_, shown) in zip(values, joined.columns, strict=True)
        if not isinstance(shown, Measure)
    ]
    select = [*_named("k", keys), *_named("c", least)]
    if joined.variants is not None:
        select.append(_as(exp.Count(this=exp.Star()), VARIANTS))
    by = keys if joined.variants is not None else [*keys, *values]
    return _grouped(select, by, exp.Select().from_(different.subquery(ROW), copy=False))


def _from(source: exp.Table, joined: Joined, binder: Binder) -> exp.Select:
    query = exp.Select().from_(source, copy=False)
    return query if joined.where is None else query.where(condition(joined.where, joined.table, binder), copy=False)


def _grouped(select: Sequence[exp.Expr], by: Sequence[exp.Expr], query: exp.Select) -> exp.Select:
    return query.select(*select, copy=False).group_by(*(key.copy() for key in by), copy=False)


def _named(letter: str, values: Sequence[exp.Expr]) -> list[exp.Expr]:
    return [_as(value, f"{letter}{place}") for place, value in enumerate(values)]


def _as(value: exp.Expr, name: str) -> exp.Expr:
    return exp.alias_(value.copy(), name, quoted=True)


def _sorted(shown: Expression, binder: Binder) -> exp.Expr:
    return binder.sort_key(shown, sortable(shown, binder.table))


def _kind(name: str, table: Table) -> Kind:
    return expression_type(Col(name), table).kind


def _key(value: exp.Expr, kind: Kind, binder: Binder) -> exp.Expr:
    """Text is compared as text, whatever type the engine stores it as."""
    return binder.dialect.projection(value, ColumnType(kind)) if kind is Kind.TEXT else value
