"""Predicates, expressions and keyset conditions of a `Read` as SQLAlchemy Core. Values are always bound parameters."""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from loaders.description import ColumnType, Kind, Table
from loaders.order import expression_type, is_nullable, nulls_first
from loaders.postgres.types import Named, sql_type
from loaders.read import (
    And,
    Col,
    Compare,
    CosineSimilarity,
    Exists,
    Expression,
    JsonPath,
    Never,
    Not,
    Op,
    Or,
    OrderBy,
    Predicate,
    Value,
)


def sql_expression(expression: Expression, source: FromClause) -> ColumnElement[Any]:
    match expression:
        case Col(name):
            return source.c[name]
        case JsonPath(column, path):
            return source.c[column].op("#>>", return_type=sa.Text())(sa.bindparam(None, list(path), sa.ARRAY(sa.Text)))
        case CosineSimilarity(column, vector):
            return sa.literal_column("1") - cosine_distance(source.c[column], vector)


def cosine_distance(column: ColumnElement[Any], vector: Sequence[float]) -> ColumnElement[Any]:
    """pgvector's `<=>`, the operator of the HNSW index with `vector_cosine_ops`."""
    text = "[" + ",".join(map(repr, vector)) + "]"
    return column.op("<=>", return_type=sa.Double())(sa.cast(sa.bindparam(None, text, sa.Text), Named("vector")))


def condition(predicate: Predicate, table: Table, source: FromClause) -> ColumnElement[bool]:
    match predicate:
        case Compare(expression, op, value):
            return _compare(sql_expression(expression, source), expression_type(expression, table), op, value)
        case And(terms):
            return sa.and_(sa.true(), *(condition(term, table, source) for term in terms))
        case Or(terms):
            return sa.or_(sa.false(), *(condition(term, table, source) for term in terms))
        case Not(term):
            return sa.not_(condition(term, table, source))
        case Never():
            return sa.false()
        case Exists(join, where):
            target = from_clause(join.target)
            matches = [target.c[r] == source.c[l] for l, r in zip(join.local, join.remote, strict=True)]
            if where is not None:
                matches.append(condition(where, join.target, target))
            return sa.exists(sa.select(sa.literal_column("1")).select_from(target).where(*matches).correlate(source))


def from_clause(table: Table) -> FromClause:
    """A fresh alias of the table, so that a table joined to itself is never confused with its outer row."""
    columns = [sa.column(column.name, sql_type(column.type)) for column in table.columns]
    return sa.table(table.name, *columns, schema=table.schema).alias()


def _bind(value: Value, type_: ColumnType) -> ColumnElement[Any]:
    if type_.kind in (Kind.JSON, Kind.GEOMETRY, Kind.VECTOR):
        return sa.cast(sa.bindparam(None, value, sa.Text), sql_type(type_))
    return sa.bindparam(None, value, sql_type(type_))


def _array(value: Value, type_: ColumnType) -> ColumnElement[Any]:
    assert isinstance(value, tuple)
    return sa.bindparam(None, list(value), sa.ARRAY(sql_type(type_)))


def _geojson(value: Value) -> ColumnElement[Any]:
    return sa.func.ST_SetSRID(sa.func.ST_GeomFromGeoJSON(sa.bindparam(None, value, sa.Text)), sa.literal_column("4326"))


def _escape_like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


_COMPARISONS: dict[Op, Callable[[ColumnElement[Any], ColumnElement[Any]], ColumnElement[bool]]] = {
    Op.EQ: lambda left, right: left == right,
    Op.NE: lambda left, right: left != right,
    Op.LT: lambda left, right: left < right,
    Op.LTE: lambda left, right: left <= right,
    Op.GT: lambda left, right: left > right,
    Op.GTE: lambda left, right: left >= right,
    Op.LIKE: lambda left, right: left.like(right),
    Op.ILIKE: lambda left, right: left.ilike(right),
    Op.CONTAINS: lambda left, right: left.op("@>", is_comparison=True)(right),
    Op.CONTAINED_BY: lambda left, right: left.op("<@", is_comparison=True)(right),
}


def _compare(left: ColumnElement[Any], type_: ColumnType, op: Op, value: Value) -> ColumnElement[bool]:
    if op in _COMPARISONS:
        return _COMPARISONS[op](left, _bind(list(value) if isinstance(value, tuple) else value, type_))
    match op:
        case Op.IN:
            return left == sa.any_(_array(value, type_))
        case Op.NOT_IN:
            return left != sa.all_(_array(value, type_))
        case Op.IS_NULL:
            return left.is_(None) if value else left.is_not(None)
        case Op.STARTS_WITH:
            return left.like(sa.bindparam(None, _escape_like(str(value)) + "%", sa.Text))
        case Op.HAS_KEY:
            return left.op("?", is_comparison=True)(sa.bindparam(None, value, sa.Text))
        case Op.BBOX:
            assert isinstance(value, tuple)
            corners = (sa.bindparam(None, corner, sa.Double) for corner in value)
            return left.op("&&", is_comparison=True)(sa.func.ST_MakeEnvelope(*corners, sa.literal_column("4326")))
        case Op.INTERSECTS:
            return sa.func.ST_Intersects(left, _geojson(value))
        case Op.WITHIN:
            return sa.func.ST_Within(left, _geojson(value))
        case Op.DWITHIN:
            assert isinstance(value, tuple)
            geography = Named("geography")
            metres = sa.bindparam(None, value[1], sa.Double)
            return sa.func.ST_DWithin(sa.cast(left, geography), sa.cast(_geojson(value[0]), geography), metres)
    raise ValueError(f"Postgres has no operator for {op}")


# --- order and keyset -------------------------------------------------------------------------------------------------


def order_clause(term: OrderBy, table: Table, source: FromClause, *, backward: bool) -> ColumnElement[Any]:
    """One ORDER BY term. Similarity is ordered by its distance, so that the HNSW index serves it."""
    descending = term.descending != backward
    if isinstance(term.expression, CosineSimilarity):
        distance = cosine_distance(source.c[term.expression.column], term.expression.vector)
        clause = distance.asc() if descending else distance.desc()
        default_first = not descending
    else:
        ordered = sql_expression(term.expression, source)
        clause = ordered.desc() if descending else ordered.asc()
        default_first = descending
    if not is_nullable(term.expression, table):
        return clause
    first = nulls_first(term) != backward
    if first == default_first:
        return clause
    return clause.nulls_first() if first else clause.nulls_last()


def beyond(
    order: tuple[OrderBy, ...], values: tuple[Value, ...], table: Table, source: FromClause, *, backward: bool
) -> ColumnElement[bool]:
    """Rows strictly after (or, backward, before) the cursor's values in `order`, nulls included."""
    uniform = len({term.descending for term in order}) == 1
    if uniform and not any(is_nullable(term.expression, table) for term in order):
        left = sa.tuple_(*(sql_expression(term.expression, source) for term in order))
        types = [expression_type(term.expression, table) for term in order]
        right = sa.tuple_(*(_bind(value, type_) for value, type_ in zip(values, types, strict=True)))
        return left < right if order[0].descending != backward else left > right
    alternatives: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    for term, value in zip(order, values, strict=True):
        ordered = sql_expression(term.expression, source)
        further = _further(ordered, term, value, table, backward=backward)
        if further is not None:
            alternatives.append(sa.and_(*equal, further))
        bound = _bind(value, expression_type(term.expression, table))
        equal.append(ordered.is_(None) if value is None else ordered == bound)
    return sa.or_(sa.false(), *alternatives)


def _further(
    ordered: ColumnElement[Any], term: OrderBy, value: Value, table: Table, *, backward: bool
) -> ColumnElement[bool] | None:
    null_goes_first = nulls_first(term) != backward
    if value is None:
        return ordered.is_not(None) if null_goes_first else None
    bound = _bind(value, expression_type(term.expression, table))
    strictly = ordered < bound if term.descending != backward else ordered > bound
    if is_nullable(term.expression, table) and not null_goes_first:
        return sa.or_(strictly, ordered.is_(None))
    return strictly
