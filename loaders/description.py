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


class Held(StrEnum):
    """What a value of the column is in its engine, next to the value that is shown.

    Patterns of text are matched with the shown text, unless it is held as it is.
    """

    AS_SHOWN = "as shown"
    COMPARABLE = (
        "comparable"  # of another type, whose values the engine compares with shown ones, and sorts its own way
    )
    CONVERTED = "converted"  # of a type that it does not compare with shown ones: what is shown is compared and sorted


@dataclass(frozen=True, slots=True)
class Enumeration:
    """A closed set of words: `names` pairs each word, as it is stored, with the name that JSON shows in its place."""

    name: str
    names: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ColumnType:
    """`element` for arrays, `dimensions` for vectors, `geometry` the PostGIS type (`POINTZ`, `LINESTRING`, ...).

    `enumeration`: a TEXT of a closed set. It is compared, sorted, grouped and written as the text it is; only JSON
    shows its name (loaders/unnamed.py has what becomes of a text without one). `single`: a FLOAT of single precision,
    whose values are compared with as their shortest text has them.
    """

    kind: Kind
    element: "ColumnType | None" = None
    dimensions: int | None = None
    geometry: str | None = None
    enumeration: Enumeration | None = None
    single: bool = field(default=False, compare=False)
    held: Held = Held.AS_SHOWN


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: ColumnType
    nullable: bool = True
    description: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """`store` is the public store name (`axion_gen`, `clickhouse`, `datasource:{id}`); `key` the columns of the key.

    `key` may be empty for a remote table: such a table cannot be paged by key. `apart` are the columns that the store's
    own primary key has beyond `key`, such as that of its partitions: rows of one key, should there be several, differ
    in them. Lists have them all; where one row is asked for by its key, it is any of them. `unread` are the names of
    columns of a remote table that are left out for their types: they tell no table from another.
    """

    store: str
    schema: str | None
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    unread: tuple[str, ...] = field(default=(), compare=False)
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        identity = (self.store, self.schema, self.name, self.columns, self.key, self.apart)
        object.__setattr__(self, "_hash", hash(identity))

    def __hash__(self) -> int:
        return self._hash  # made once: a table is part of every key made of a `Read`, at every level of it

    @property
    def unique(self) -> tuple[str, ...]:
        """Columns that no two rows agree in: what ties are broken by. Empty without a key."""
        return self.key + self.apart

    def column(self, name: str) -> Column:
        """The column of that name; `KeyError` if there is none (callers with user input check `has_column` first)."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name}")

    def has_column(self, name: str) -> bool:
        return any(column.name == name for column in self.columns)
