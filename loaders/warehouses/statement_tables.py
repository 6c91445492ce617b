"""Finds which tables a statement reads, and whether it failed because one of them no longer exists."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import sqlglot
from sqlglot import exp

from loaders.errors import StoreQueryFailed, UnknownTable


def tables_of(sql: str, dialect: str) -> tuple[tuple[str | None, str], ...]:
    """The (schema, name) pairs of the tables a statement reads, each once, in the order of the text."""
    found = sqlglot.parse_one(sql, dialect=dialect).find_all(exp.Table, bfs=False)
    return tuple(dict.fromkeys((table.db or None, table.name) for table in found))


@asynccontextmanager
async def told_if_gone(
    sql: str, dialect: str, *, store: str, is_there: Callable[[str | None, str], Awaitable[bool]]
) -> AsyncIterator[None]:
    """For engines that do not distinguish a missing table from other failures: when the statement fails, its tables are
    looked up.

    Raises `UnknownTable` instead of `StoreQueryFailed` when one of them no longer exists.
    """
    try:
        yield
    except StoreQueryFailed as error:
        for schema, name in tables_of(sql, dialect):
            if not await is_there(schema, name):
                raise UnknownTable(f"{store} no longer has the table. List its tables again.") from error
        raise
