"""What the mapping knows about a table-backed type: the column or edge behind each GraphQL field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from loaders.description import Table
from loaders.plan import joins
from loaders.read import Join
from resolvers.permissions.guards import Guard, Relation, RowGuard, WithFields


@dataclass(frozen=True, slots=True)
class ColumnField:
    """The value of a column; null where its guard, if it has one, denies it."""

    column: str
    description: str = ""
    guard: Relation | None = None


@dataclass(frozen=True, slots=True)
class IdField:
    """The global id, made of the type's name and the table's key."""


@dataclass(frozen=True, slots=True)
class ScoreField:
    """The similarity of the row's vector to what was searched for; null in lists without `nearest`."""

    column: str
    description: str


@dataclass(frozen=True, slots=True)
class EdgeField:
    """Rows of another type: one (`many=False`) or a connection. `remote=()` means the target's key."""

    target: str
    local: tuple[str, ...]
    remote: tuple[str, ...]
    many: bool
    description: str


@dataclass(frozen=True, slots=True)
class ResolvedField:
    """A field with a resolver of its own, which receives the `required` columns of its row."""

    required: tuple[str, ...]


FieldMapping: TypeAlias = ColumnField | IdField | ScoreField | EdgeField | ResolvedField


@dataclass(frozen=True, slots=True)
class ObjectMapping:
    """A table-backed GraphQL type. `fields` are keyed by their GraphQL names."""

    name: str
    table: Table
    guard: RowGuard
    fields: Mapping[str, FieldMapping]
    policy: Guard = field(init=False, repr=False, compare=False)
    """`guard`, with the guards of the fields that have one."""

    def __post_init__(self) -> None:
        columns = [each for each in self.fields.values() if isinstance(each, ColumnField)]
        guarded = {each.column: each.guard for each in columns if each.guard is not None}
        policy = WithFields(self.guard, tuple(guarded.items())) if guarded else self.guard
        object.__setattr__(self, "policy", policy)  # made once: every read asks for all of them

    @property
    def searchable(self) -> tuple[str, ...]:
        """The vector columns that rows are found by."""
        return tuple(field.column for field in self.fields.values() if isinstance(field, ScoreField))

    def edge(self, name: str) -> EdgeField:
        field = self.fields[name]
        assert isinstance(field, EdgeField)
        return field


OBJECTS: dict[str, ObjectMapping] = {}
"""Every table-backed type by its GraphQL name. Filled by `table_type` when the declarations are imported."""


def join(edge: EdgeField) -> Join:
    target = OBJECTS[edge.target].table
    return Join(target, edge.local, edge.remote or target.key)


def joinable(mapping: ObjectMapping, target: str) -> bool:
    """Only rows of the same database can be part of a condition or an order: another store's have to be fetched."""
    store = mapping.table.store
    return joins(store) and OBJECTS[target].table.store == store


def policies() -> dict[Table, Guard]:
    """The guards of all mapped tables, which the guard station applies at every level of a `Read`."""
    return {mapping.table: mapping.policy for mapping in OBJECTS.values()}
