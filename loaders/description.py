"""Tables as every store and station sees them: names, column types, key. Frozen, so a `Read` can be a cache key.

A table of the catalog is described from its SQLAlchemy model (`loaders/tables/`), a remote one from what its warehouse
says at run time; from there on nothing tells them apart.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    BOOLEAN = "boolean"
    INTEGER = "integer"  # fits a GraphQL Int: at most 32 bits signed
    BIGINT = "bigint"  # a decimal string in JSON
    FLOAT = "float"
    NUMERIC = "numeric"  # exact decimal, a string in JSON
    TEXT = "text"
    UUID = "uuid"
    DATE = "date"
    TIMESTAMP = "timestamp"  # an instant; RFC 3339 UTC in JSON
    JSON = "json"
    BYTES = "bytes"  # base64 in JSON
    GEOMETRY = "geometry"  # GeoJSON in JSON
    VECTOR = "vector"
    H3 = "h3"  # uint64 in Arrow, 15-digit hex token in JSON
    ARRAY = "array"


@dataclass(frozen=True, slots=True)
class ColumnType:
    """`element` for arrays, `dimensions` for vectors, `geometry` the PostGIS type (`POINTZ`, `LINESTRING`, ...)."""

    kind: Kind
    element: "ColumnType | None" = None
    dimensions: int | None = None
    geometry: str | None = None


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: ColumnType
    nullable: bool = True
    description: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """`store` is the public store name (`axion_gen`, `clickhouse`, `datasource:{id}`); `key` the columns of the key.

    `key` may be empty for a remote table: such a table cannot be paged by key.
    """

    store: str
    schema: str | None
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.store, self.schema, self.name, self.columns, self.key)))

    def __hash__(self) -> int:
        return self._hash  # made once: a table is part of every key made of a `Read`, at every level of it

    def column(self, name: str) -> Column:
        """The column of that name; `KeyError` if there is none (callers with user input check `has_column` first)."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name}")

    def has_column(self, name: str) -> bool:
        return any(column.name == name for column in self.columns)
