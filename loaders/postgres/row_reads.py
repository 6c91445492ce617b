"""Reads rows within a transaction, to decide about a change: the rows that match a read's `where`, one statement
each.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from loaders.postgres.expression import from_clause
from loaders.postgres.predicate import condition
from loaders.postgres.write import Transaction
from loaders.read import Read, Value, is_never


async def found_row(within: Transaction, read: Read, columns: Sequence[str]) -> Mapping[str, Value] | None:
    """The columns of the one row, None without one. A read that can match nothing sends no statement."""
    return None if is_never(read.where) else await _one(within, _matching(read, columns))


async def locked_row(
    within: Transaction, read: Read, columns: Sequence[str], *, for_delete: bool = False
) -> Mapping[str, Value] | None:
    """As `found_row`, with a lock: nobody else can write the row until the transaction ends. Others may still refer to
    it, unless `for_delete`.
    """
    locked = _matching(read, columns).with_for_update(key_share=not for_delete)
    return None if is_never(read.where) else await _one(within, locked)


async def _one(within: Transaction, statement: sa.Select[Any]) -> Mapping[str, Value] | None:
    rows = await within.rows(statement)
    return dict(rows[0]._mapping) if rows else None


def _matching(read: Read, columns: Sequence[str]) -> sa.Select[Any]:
    source = from_clause(read.table)
    chosen = sa.select(*(source.c[name] for name in columns)).select_from(source)
    return chosen if read.where is None else chosen.where(condition(read.where, read.table, source))
