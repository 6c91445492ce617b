"""Selects the rows that a read is about: its table, its conditions, its page."""

from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from loaders.order import flipped, total_order
from loaders.postgres.expression import from_clause
from loaders.postgres.order import beyond, order_clause
from loaders.postgres.predicate import condition, is_one
from loaders.read import Join, OrderBy, Read

Source: TypeAlias = FromClause
Limit: TypeAlias = ColumnElement[int]


def matched(read: Read, join: Join | None, outer: Source | None, *, columns: set[str], limit: Limit | None) -> Source:
    """The rows of the page as a subquery with those columns, in reverse if the page is backward."""
    source = from_clause(read.table)
    names = [column.name for column in read.table.columns if column.name in columns]
    selected = [source.c[name] for name in names] or [sa.literal_column("1").label("one")]
    order = total_order(read.order, read.table)
    statement = sa.select(*selected).select_from(source).where(*conditions(read, join, outer, source))
    statement = statement.where(*within_page(read, order, source))
    if read.connection is not None or not _at_most_one(read, join):
        run = flipped(order) if read.page.backward else order
        statement = statement.order_by(*order_clause(run, read.table, source))
    return of(outer, statement.limit(limit)).subquery()


def within_page(read: Read, order: tuple[OrderBy, ...], source: Source) -> list[ColumnElement[bool]]:
    """The keyset conditions of the page, in the total order of the read."""
    bounds: list[ColumnElement[bool]] = []
    if read.page.after is not None:
        bounds.append(beyond(order, read.page.after, read.table, source))
    if read.page.before is not None:
        bounds.append(beyond(flipped(order), read.page.before, read.table, source))
    return bounds


def of(outer: Source | None, statement: sa.Select[Any]) -> sa.Select[Any]:
    """The statement correlated to the outer row only, however deeply it is nested in FROM clauses."""
    return statement if outer is None else statement.correlate(outer)


def conditions(read: Read, join: Join | None, outer: Source | None, source: Source) -> list[ColumnElement[bool]]:
    """The join to the outer row and the predicate of the read, without the keyset conditions of the page."""
    found: list[ColumnElement[bool]] = []
    if join is not None and outer is not None:
        found += [source.c[far] == outer.c[own] for own, far in zip(join.local, join.remote, strict=True)]
    if read.where is not None:
        found.append(condition(read.where, read.table, source))
    return found


def _at_most_one(read: Read, join: Join | None) -> bool:
    """Whether the key is given, so that no order is needed."""
    return is_one(read.where, read.table, frozenset(() if join is None else join.remote))
