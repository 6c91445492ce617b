"""The rows there are and those that are seen, and the way from one type to another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from loaders.description import ColumnType
from schema.mapping.object import ColumnField, EdgeField, ObjectMapping
from tests.differential.oracle.shown import sort_key
from tests.differential.rows import Row

Hidden: TypeAlias = dict[tuple[str, tuple[Any, ...]], frozenset[str]]
"""By type and place: the columns that are denied."""


@dataclass(frozen=True, slots=True)
class World:
    """`rows` are the visible rows of each type, with nulls where columns are `hidden`."""

    mappings: Mapping[str, ObjectMapping]
    rows: Mapping[str, list[Row]]
    hidden: Hidden = field(default_factory=dict)

    def column(self, type_: str, field: str) -> tuple[str, ColumnType] | None:
        """The column a field shows, and its type; `None` where the field is none."""
        mapping = self.mappings[type_]
        declared = mapping.fields.get(field)
        if not isinstance(declared, ColumnField):
            return None
        return declared.column, mapping.table.column(declared.column).type

    def edge(self, type_: str, field: str) -> EdgeField | None:
        declared = self.mappings[type_].fields.get(field)
        return declared if isinstance(declared, EdgeField) else None

    def related(self, row: Row, edge: EdgeField) -> list[Row]:
        """The visible rows an edge leads to. A null leads nowhere."""
        remote = edge.remote or self.key_columns(edge.target)
        wanted = [row[name] for name in edge.local]
        if None in wanted:
            return []
        return [far for far in self.rows[edge.target] if [far[name] for name in remote] == wanted]

    def key_columns(self, type_: str) -> tuple[str, ...]:
        return self.mappings[type_].table.key

    def key(self, type_: str, row: Row) -> tuple[Any, ...]:
        return tuple(row[name] for name in self.key_columns(type_))

    def place_columns(self, type_: str) -> tuple[str, ...]:
        table = self.mappings[type_].table
        return (*table.key, *table.apart)

    def place(self, type_: str, row: Row) -> tuple[Any, ...]:
        """What no other row has: its key, and what tells rows of one key apart."""
        return tuple(row[name] for name in self.place_columns(type_))

    def hides(self, type_: str, row: Row, column: str) -> bool:
        return column in self.hidden.get((type_, self.place(type_, row)), ())

    def by_id(self, type_: str, key: str) -> Row | None:
        found = [row for row in self.rows[type_] if "|".join(map(str, self.key(type_, row))) == key]
        return found[0] if found else None

    def sort_key(self, type_: str, value: Any) -> Any:
        return sort_key(value, columnar=self.mappings[type_].table.store == "clickhouse")
