"""Rows that are versions of one thing: numbered from 1 in `version`, the newest marked by `is_current` where the table
has it. `of` are the values that tell the thing from others."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from loaders.postgres.row_writes import bound_values
from loaders.postgres.stored_table import Key, StoredTable
from loaders.postgres.write import Transaction
from loaders.read import Value

VERSION: Final = "version"
_IS_CURRENT: Final = "is_current"
_OF_A_ROW: Final = ("created_at",)


async def newest_version(within: Transaction, table: StoredTable, of: Mapping[str, Value]) -> Value:
    ((number,),) = await within.rows(sa.select(sa.func.max(table.model.c[VERSION])).where(_is(table, of)))
    found: Value = number
    return found


async def written_version(
    within: Transaction, table: StoredTable, key: Key, columns: Sequence[str]
) -> dict[str, Value]:
    """The columns of the row, which must exist."""
    chosen = sa.select(*(table.model.c[name] for name in columns)).where(table.is_row(key))
    ((*stored,),) = await within.rows(chosen)
    return dict(zip(columns, stored, strict=True))


async def retire(within: Transaction, table: StoredTable, of: Mapping[str, Value]) -> None:
    """Makes no version current any more, if the table marks the current one: one statement, or none."""
    if _IS_CURRENT in table.model.c:
        current = sa.and_(_is(table, of), table.model.c[_IS_CURRENT])
        await within.rows(sa.update(table.model).where(current).values({_IS_CURRENT: False}))


async def insert_next(within: Transaction, table: StoredTable, key: Key, values: Mapping[str, Value]) -> Key:
    """Inserts the new current version: the row of `key` with these values, and with a key and time of creation of its
    own. Returns its key.
    """
    model = table.model
    source = model.alias()
    own = {*table.table.key, *_OF_A_ROW}
    copied: dict[str, Any] = {column.name: source.c[column.name] for column in model.c if column.name not in own}
    copied |= {**bound_values(values, table.table), VERSION: source.c[VERSION] + 1}
    if _IS_CURRENT in model.c:
        copied[_IS_CURRENT] = sa.true()
    of_key = (source.c[name] == value for name, value in zip(table.table.key, key, strict=True))
    made = sa.insert(model).from_select(list(copied), sa.select(*copied.values()).where(*of_key))
    (row,) = await within.rows(made.returning(*table.key_columns()))
    return tuple(row)


def _is(table: StoredTable, of: Mapping[str, Value]) -> sa.ColumnElement[bool]:
    return sa.and_(*(table.model.c[name] == value for name, value in of.items()))
