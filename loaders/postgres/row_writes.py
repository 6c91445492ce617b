"""Inserts, updates and deletes rows in a transaction: one statement each, which raises what `Transaction` raises.

Values are keyed by column; None is NULL. Geometry is GeoJSON text in WGS 84, a vector a list of numbers, everything
else what the driver accepts.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from loaders.description import Column, Kind, Table
from loaders.postgres.stored_table import UPDATED_AT, Key, StoredTable
from loaders.postgres.types import sql_type
from loaders.postgres.write import Transaction
from loaders.read import Value


async def insert(within: Transaction, into: StoredTable, values: Mapping[str, Value]) -> Key:
    """Returns the key of the new row. Columns that are left out get their defaults."""
    made = sa.insert(into.model).values(bound_values(values, into.table))
    (row,) = await within.rows(made.returning(*into.key_columns()))
    return tuple(row)


async def insert_unless_there(within: Transaction, into: StoredTable, values: Mapping[str, Value]) -> None:
    """Does nothing if a unique value is taken."""
    made = postgresql.insert(into.model).values(bound_values(values, into.table))
    await within.rows(made.on_conflict_do_nothing())


async def insert_or_find(within: Transaction, into: StoredTable, values: Mapping[str, Value]) -> Key:
    """The key of the one row with these values, which are unique together: a new row, or the existing one, locked."""
    made = postgresql.insert(into.model).values(bound_values(values, into.table))
    first = next(iter(values))
    found = made.on_conflict_do_update(index_elements=list(values), set_={first: made.excluded[first]})
    (row,) = await within.rows(found.returning(*into.key_columns()))
    return tuple(row)


async def update(within: Transaction, of: StoredTable, key: Key, values: Mapping[str, Value]) -> Key:
    """Returns the key of the row, which must exist. Updates `UPDATED_AT`, if the table has it."""
    given = bound_values(values, of.table)
    if of.table.has_column(UPDATED_AT):
        rising = of.model.c[UPDATED_AT] + sa.text("interval '1 microsecond'")
        given[UPDATED_AT] = sa.func.greatest(sa.func.clock_timestamp(), rising)
    changed = sa.update(of.model).where(of.is_row(key)).values(given)
    (row,) = await within.rows(changed.returning(*of.key_columns()))
    return tuple(row)


async def delete(within: Transaction, of: StoredTable, key: Key) -> None:
    await within.rows(sa.delete(of.model).where(of.is_row(key)))


async def delete_where(within: Transaction, of: StoredTable, values: Mapping[str, Value]) -> Key | None:
    """The key of the deleted row. The values, none of them null, must be unique together."""
    matching = (of.model.c[name] == value for name, value in values.items())
    rows = await within.rows(sa.delete(of.model).where(*matching).returning(*of.key_columns()))
    return tuple(rows[0]) if rows else None


def bound_values(values: Mapping[str, Value], table: Table) -> dict[str, Any]:
    return {column: _bound(value, table.column(column)) for column, value in values.items()}


def _bound(value: Value, column: Column) -> sa.ColumnElement[Any]:
    if value is None:
        return sa.null()
    match column.type.kind:
        case Kind.GEOMETRY:
            text = sa.bindparam(None, value, sa.Text)
            return sa.func.ST_SetSRID(sa.func.ST_GeomFromGeoJSON(text), sa.literal_column("4326"))
        case Kind.VECTOR:
            assert isinstance(value, (list, tuple))
            return sa.cast(sa.bindparam(None, "[" + ",".join(map(repr, value)) + "]", sa.Text), sql_type(column.type))
        case _:
            return sa.bindparam(None, value, sql_type(column.type))
