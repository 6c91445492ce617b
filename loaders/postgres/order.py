"""Compiles the order of a read: to ORDER BY, to the texts of a cursor, and to the keyset condition of a page."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from loaders.description import ColumnType, Kind, Table
from loaders.expression import is_nullable, sortable
from loaders.order import check_cursor, nulls_first
from loaders.postgres.expression import bind, cosine_distance
from loaders.postgres.sorting import sort_value
from loaders.read import CosineSimilarity, OrderBy, Value


@dataclass(frozen=True, slots=True)
class _Ordered:
    """An order term as it is executed. `nulls_first=None` if there are no nulls."""

    value: ColumnElement[Any]
    type: ColumnType
    descending: bool
    nulls_first: bool | None


def _ordered(term: OrderBy, table: Table, source: FromClause) -> _Ordered:
    """Similarity is ordered by its distance, so that the HNSW index is used; a NaN is the greatest distance."""
    type_ = sortable(term.expression, table)
    if isinstance(term.expression, CosineSimilarity):
        column = term.expression.column
        distance = cosine_distance(source.c[column], term.expression.vector)
        first = nulls_first(term) if table.column(column).nullable else None
        return _Ordered(distance, type_, not term.descending, first)
    first = nulls_first(term) if is_nullable(term.expression, table) else None
    return _Ordered(sort_value(term.expression, table, source), type_, term.descending, first)


def order_clause(terms: tuple[OrderBy, ...], table: Table, source: FromClause) -> list[ColumnElement[Any]]:
    clauses: list[ColumnElement[Any]] = []
    for ordered in (_ordered(term, table, source) for term in terms):
        clause = ordered.value.desc() if ordered.descending else ordered.value.asc()
        if ordered.nulls_first not in (None, ordered.descending):  # else it is Postgres' default, which an index has
            clause = clause.nulls_first() if ordered.nulls_first else clause.nulls_last()
        clauses.append(clause)
    return clauses


def cursor_values(terms: tuple[OrderBy, ...], table: Table, source: FromClause) -> list[ColumnElement[Any]]:
    """The text of each term's value, as loaders/encode/cursor.py parses it."""
    return [_text(_ordered(term, table, source)) for term in terms]


def _text(ordered: _Ordered) -> ColumnElement[Any]:
    if ordered.type.kind is Kind.TIMESTAMP:
        return sa.func.to_json(ordered.value).op("#>>", return_type=sa.Text())(sa.literal_column("'{}'"))
    return sa.cast(ordered.value, sa.Text)


def beyond(
    terms: tuple[OrderBy, ...], values: tuple[Value, ...], table: Table, source: FromClause
) -> ColumnElement[bool]:
    """The keyset condition: rows strictly after the cursor's values in the order of `terms`, nulls included."""
    check_cursor(terms, values, table)
    ordered = [_ordered(term, table, source) for term in terms]
    bound = [bind(value, term.type) for value, term in zip(values, ordered, strict=True)]
    if len({term.descending for term in ordered}) == 1 and all(term.nulls_first is None for term in ordered):
        left, right = sa.tuple_(*(term.value for term in ordered)), sa.tuple_(*bound)
        return left < right if ordered[0].descending else left > right
    alternatives: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    for term, value, parameter in zip(ordered, values, bound, strict=True):
        further = _further(term, value, parameter)
        if further is not None:
            alternatives.append(sa.and_(*equal, further))
        equal.append(term.value.is_(None) if value is None else term.value == parameter)
    return sa.or_(sa.false(), *alternatives)


def _further(term: _Ordered, value: Value, parameter: ColumnElement[Any]) -> ColumnElement[bool] | None:
    if value is None:
        return term.value.is_not(None) if term.nulls_first else None
    strictly = term.value < parameter if term.descending else term.value > parameter
    return sa.or_(strictly, term.value.is_(None)) if term.nulls_first is False else strictly
