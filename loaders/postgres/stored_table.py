"""A table whose rows the API writes, with the defaults and constraints of its database."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import sqlalchemy as sa

from loaders.description import Table
from loaders.read import Value
from loaders.tables.databases import idempotency_keys, model_of
from loaders.tables.describe import describe
from loaders.tables.limits import Limit, limit_of

Key: TypeAlias = tuple[Value, ...]
"""The values of a table's `key`, in its order."""

UPDATED_AT: Final = "updated_at"
"""A column of this name is set by every change, rises with each, and serves optimistic concurrency."""


@dataclass(frozen=True, slots=True)
class StoredTable:
    """`model` is what `table` was described from; it knows the defaults and constraints of the database."""

    table: Table
    model: sa.Table

    @classmethod
    def of(cls, table: Table) -> "StoredTable":
        """Raises `KeyError` for a table of no Postgres database, or of one without `idempotency_keys`."""
        idempotency_keys(table.store)
        return cls(table, model_of(table))

    def is_required(self, column: str) -> bool:
        """Whether a new row must be given a value for the column."""
        sql = self.model.c[column]
        has_default = sql.default is not None or sql.server_default is not None or sql.identity is not None
        return not (sql.nullable or has_default)

    def limit(self, column: str) -> Limit:
        return limit_of(self.model.c[column])

    def referenced(self, column: str) -> "Sequence[tuple[StoredTable, str]]":
        """The target of the column's foreign keys: tables of the same database, and their columns."""
        found = (reference.column for reference in self.model.c[column].foreign_keys)
        return [(StoredTable(describe(far.table, self.table.store), far.table), far.name) for far in found]

    def key_columns(self) -> list[sa.Column[Any]]:
        return [self.model.c[name] for name in self.table.key]

    def is_row(self, key: Key) -> sa.ColumnElement[bool]:
        return sa.and_(*(column == value for column, value in zip(self.key_columns(), key, strict=True)))
