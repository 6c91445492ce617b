"""Compiles what rows are sorted by to SQLAlchemy Core: expressions of the row itself, and of related rows.

Values of related rows are scalar subqueries. They are evaluated for rows that satisfy the read's conditions, at the
cost of one index look-up each.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from loaders.description import Table
from loaders.postgres.expression import from_clause, sort_key
from loaders.postgres.limit import ONE
from loaders.postgres.predicate import condition
from loaders.read import CountOf, Join, Predicate, SortKey, Through


def sort_value(key: SortKey, table: Table, source: FromClause) -> ColumnElement[Any]:
    match key:
        case Through(join, by, where):
            target = from_clause(join.target)
            found = _related(sa.select(sort_value(by, join.target, target)), join, where, source, target)
            return found.order_by(*(target.c[name] for name in join.target.unique)).limit(ONE).scalar_subquery()
        case CountOf(join, where):
            target = from_clause(join.target)
            return _related(sa.select(sa.func.count()), join, where, source, target).scalar_subquery()
        case expression:
            return sort_key(expression, table, source)


def _related(
    statement: sa.Select[Any], join: Join, where: Predicate | None, source: FromClause, target: FromClause
) -> sa.Select[Any]:
    matches = [target.c[far] == source.c[own] for own, far in zip(join.local, join.remote, strict=True)]
    if where is not None:
        matches.append(condition(where, join.target, target))
    return statement.select_from(target).where(*matches).correlate(source)
