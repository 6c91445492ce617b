"""Declares a table-backed type in about twenty lines: a class with its exposed columns and edges.

    @table_type(tables.Dataset, store="axion_gen", guard=Visible("dataset", "can_view", "id"))
    class GenDataset:
        '''A logical set of tables of one data source.'''

        name = column()
        created_at = column()
        data_source = to_one("GenDataSource", local="data_source_id", description="Where its tables are.")

`id` and `rowId` are added automatically. Only what is declared is exposed. The description of a column is the comment
of the model unless `column("...")` gives another. Connection, filter and order types are generated from the
declaration.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from inspect import cleandoc
from typing import Any, Optional, TypeVar

import strawberry
from strawberry.utils.str_converters import to_camel_case

from loaders.description import Kind, Table
from loaders.plan import joins
from loaders.tables.describe import Model, describe
from resolvers.permissions.fields import FieldGuard
from resolvers.permissions.guards import Relation, RowGuard
from schema.mapping import types
from schema.mapping.aggregate_types import make_aggregate
from schema.mapping.arguments import connection_arguments
from schema.mapping.connection import make_connection
from schema.mapping.enums import enumeration
from schema.mapping.filters import make_filter
from schema.mapping.kinds import output_type
from schema.mapping.nearest import make_nearest
from schema.mapping.node_interface import Node
from schema.mapping.object import (
    OBJECTS,
    ColumnField,
    EdgeField,
    FieldMapping,
    IdField,
    ObjectMapping,
    ResolvedField,
    ScoreField,
    join,
)
from schema.mapping.orders import make_order

C = TypeVar("C", bound=type)
_DECLARED: dict[str, type] = {}
_SECRET = ("encrypted", "nonce", "tag", "token", "hash", "password", "secret")


class Column:
    def __init__(
        self, description: str | None, secret: bool, guard: Relation | None, enum: Any, of: str | None
    ) -> None:
        self.description, self.secret, self.guard, self.enum, self.of = description, secret, guard, enum, of


class Resolved:
    def __init__(
        self, resolver: Callable[..., Any], required: tuple[str, ...], guard: FieldGuard, description: str
    ) -> None:
        self.resolver, self.required, self.guard, self.description = resolver, required, guard, description


def column(
    description: str | None = None,
    *,
    secret: bool = False,
    guard: Relation | None = None,
    enum: Any = None,
    of: str | None = None,
) -> Any:
    """Exposes the column with the name of the attribute, or the column `of` another name under that of the attribute.
    Columns whose names look secret need an explicit `secret=True`.

    With a `guard` the field is null, with `FORBIDDEN`, in rows of objects on which the caller lacks the relation. A
    text of a closed set is of an `enum` (schema/mapping/enums.py): shown, compared and written by its names.
    """
    return Column(description, secret, guard, enum, of)


def score(description: str, *, of: str) -> Any:
    """The similarity (1 - cosine distance) of a vector column to what is searched for. Adds `nearest` to every list of
    the type.
    """
    return ScoreField(of, description)


def to_one(target: str, *, local: str, remote: str | None = None, description: str) -> Any:
    """An edge to at most one row of `target`, joined by its key unless `remote` names another column."""
    return EdgeField(target, (local,), (remote,) if remote else (), many=False, description=description)


def to_many(target: str, *, remote: str, local: str = "id", description: str) -> Any:
    """A connection of the `target` rows whose `remote` column equals this row's `local`."""
    return EdgeField(target, (local,), (remote,), many=True, description=description)


def resolved(resolver: Callable[..., Any], *, requires: tuple[str, ...], guard: FieldGuard, description: str) -> Any:
    """A field with a resolver of its own: `async def f(row: strawberry.Parent[Row], info, ...)`."""
    return Resolved(resolver, requires, guard, description)


def table_type(
    model: Model,
    *,
    store: str,
    guard: RowGuard,
    key: tuple[str, ...] | None = None,
    row_id: str | None = None,
) -> Callable[[C], C]:
    """Registers the decorated class as a GraphQL type of its name, with connection, filter and order types.

    `key` identifies a row if it is not the table's primary key, which may also contain the column of a partition: rows
    with the same key are then told apart by the primary key. `row_id` is the column shown as `rowId` if the key has
    several. Every type needs a guard; to have none, say `Public(reason)`.
    """

    def declare(cls: C) -> C:
        table = describe(model, store)
        if key is not None:
            table = replace(table, key=key, apart=tuple(name for name in table.key if name not in key))
        declared = ((name, each) for name, each in vars(cls).items() if isinstance(each, Column))
        table = _with_enums(table, {each.of or name: each.enum for name, each in declared if each.enum is not None})
        mapping = ObjectMapping(cls.__name__, table, guard, _fields(cls, table, row_id))
        OBJECTS[mapping.name] = mapping
        _DECLARED[mapping.name] = cls
        return cls

    return declare


def _with_enums(table: Table, enums: Mapping[str, Any]) -> Table:
    """Raises `ValueError` for a column that is no text, or identifies rows: ids and joins have the stored text."""
    for name in enums:
        if not table.has_column(name) or table.column(name).type.kind is not Kind.TEXT or name in table.unique:
            raise ValueError(f"{table.name}.{name} cannot be of an enum: it is no text, or is part of the key")
    types_ = {name: replace(table.column(name).type, enumeration=enumeration(enum)) for name, enum in enums.items()}
    return replace(table, columns=tuple(replace(each, type=types_.get(each.name, each.type)) for each in table.columns))


def make_types(mappings: Iterable[ObjectMapping]) -> None:
    """Generates the types of these declarations with their connections, filters and orders. Called once, after all
    declarations.
    """
    for mapping in mappings:
        _check_uses(mapping)
        _make_object(_DECLARED[mapping.name], mapping)
        make_nearest(mapping)
        make_connection(mapping.name)
        make_filter(mapping)
        make_order(mapping)
        make_aggregate(mapping)


def _check_uses(mapping: ObjectMapping) -> None:
    """Raises `ValueError` where a guarded column would be revealed: as part of an edge, or as an argument of a
    resolver; and where a column of an enum, which is shown by its names, would be the key of an edge.
    """
    for name, field in mapping.fields.items():
        match field:
            case EdgeField():
                reached = join(field)
                used = [(mapping.table, reached.local), (reached.target, reached.remote)]
            case ResolvedField(required):
                used = [(mapping.table, required)]
            case _:
                continue
        for table, columns in used:
            if isinstance(field, EdgeField) and any(table.column(each).type.enumeration for each in columns):
                raise ValueError(f"{mapping.name}.{name} is joined by a column of an enum")
            if guarded := _guarded(table).intersection(columns):
                raise ValueError(
                    f"{mapping.name}.{name} reads {', '.join(guarded)}, guarded by field: it would tell it"
                )


def _guarded(table: Table) -> set[str]:
    fields = (field for mapping in OBJECTS.values() if mapping.table == table for field in mapping.fields.values())
    return {field.column for field in fields if isinstance(field, ColumnField) and field.guard is not None}


def _fields(cls: type, table: Table, row_id: str | None) -> dict[str, FieldMapping]:
    fields: dict[str, FieldMapping] = {"id": IdField()}
    if row_id is not None or len(table.key) == 1:
        fields["rowId"] = ColumnField(row_id or table.key[0], "The primary key of the row in its store.")
    for attribute, declared in vars(cls).items():
        match declared:
            case Column():
                fields[to_camel_case(attribute)] = _column_field(declared.of or attribute, declared, table)
            case Resolved():
                fields[to_camel_case(attribute)] = ResolvedField(declared.required)
            case ScoreField(name) if not table.has_column(name) or table.column(name).type.kind is not Kind.VECTOR:
                raise ValueError(f"{table.name} has no column {name} of vectors")
            case EdgeField() | ScoreField():
                fields[to_camel_case(attribute)] = declared
    return fields


def _column_field(name: str, declared: Column, table: Table) -> ColumnField:
    if not table.has_column(name):
        raise ValueError(f"{table.name} has no column {name}")
    if not declared.secret and any(word in name.split("_") for word in _SECRET):
        raise ValueError(f"{table.name}.{name} looks secret: expose it with column(secret=True), or not at all")
    description = declared.description or table.column(name).description
    if not description:
        raise ValueError(f"{table.name}.{name} has neither a comment nor a description")
    if declared.guard is not None:
        _check_guard(name, declared.guard, table)
    return ColumnField(name, description, declared.guard)


def _check_guard(name: str, guard: Relation, table: Table) -> None:
    """Raises `ValueError` for columns that cannot be masked: keys, and arrays in stores without null arrays."""
    if name in table.key or not table.has_column(guard.column) or guard.column == name:
        raise ValueError(f"{table.name}.{name} cannot be guarded by {guard.column}: it is a key, or decides itself")
    if table.column(name).type.kind is Kind.ARRAY and not joins(table.store):
        raise ValueError(f"{table.name}.{name} is an array, which has no null in {table.store}")


def _make_object(cls: type, mapping: ObjectMapping) -> None:
    made = type(cls.__name__, (Node,), {"__module__": types.__name__, "__annotations__": {}})
    for name, field in mapping.fields.items():
        attribute = types.attribute(name)
        declared = next((d for a, d in vars(cls).items() if isinstance(d, Resolved) and to_camel_case(a) == name), None)
        if declared is not None:
            value = strawberry.field(
                resolver=declared.resolver,
                name=name,
                description=declared.description,
                metadata={"guard": declared.guard},
            )
        else:
            annotation, description, arguments = _declared_as(field, mapping)
            made.__annotations__[attribute] = types.annotated(annotation)
            resolver: Any = arguments
            value = strawberry.field(name=name, description=description, metadata={"mapping": field}, resolver=resolver)
        setattr(made, attribute, value)
    description = cleandoc(cls.__doc__ or "")
    types.register(cls.__name__, strawberry.type(made, name=cls.__name__, description=description, extend=False))


def _declared_as(field: FieldMapping, mapping: ObjectMapping) -> tuple[Any, str, Callable[..., Any] | None]:
    match field:
        case IdField():
            return strawberry.ID, "Opaque global id, which `node(id:)` takes.", None
        case ColumnField(name, description, _):
            described = mapping.table.column(name)
            type_ = output_type(described.type)
            unshown = described.type.kind is Kind.FLOAT or described.type.enumeration is not None
            nullable = described.nullable or unshown or field.guard is not None
            required = name in mapping.table.key or not nullable
            return (type_ if required else Optional[type_]), description, None
        case ScoreField(_, description):
            return Optional[float], description, None
        case EdgeField(target, _, _, many, description):
            if not many:
                return Optional[types.lazy(target)], description, None
            return Optional[types.lazy(f"{target}Connection")], description, connection_arguments(target)
        case ResolvedField():
            raise AssertionError("resolved fields declare themselves")


__all__ = ["column", "resolved", "score", "table_type", "to_many", "to_one"]
