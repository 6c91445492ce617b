"""Which columns of a type a mutation may write, by their GraphQL names, and the values that a client gave."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from strawberry.utils.str_converters import to_camel_case

from loaders.errors import InvalidId
from loaders.postgres.stored_table import StoredTable
from loaders.read import Value
from resolvers.permissions.guards import WriteRule
from resolvers.permissions.writing import guarding_column
from resolvers.target import Check, Target, Whole
from resolvers.written import Shape
from schema.mapping.enums import stored
from schema.mapping.ids import row_key
from schema.mapping.object import OBJECTS, ColumnField, EdgeField, ObjectMapping

ANY_SHAPE: Mapping[str, Shape] = MappingProxyType({})


def write_target(
    mapping: ObjectMapping,
    guard: WriteRule,
    columns: tuple[str, ...],
    shapes: Mapping[str, Shape] = ANY_SHAPE,
    author: str | None = None,
    whole: Whole | None = None,
    check: Check | None = None,
) -> Target:
    """Raises `ValueError` for columns that the type does not expose, and `KeyError` for a database without
    `idempotency_keys`.
    """
    table = mapping.table
    guarding = guarding_column(guard)
    if guarding is not None and not table.has_column(guarding):
        raise ValueError(f"{table.name} has no column {guarding} to guard its rows by")
    if unknown := shapes.keys() - set(columns):
        raise ValueError(f"{mapping.name} cannot shape {', '.join(sorted(unknown))}, which are not written")
    edges = {column: edge for column in columns if (edge := _edge(column, mapping)) is not None}
    exposed = {field.column: name for name, field in mapping.fields.items() if isinstance(field, ColumnField)}
    if hidden := [column for column in columns if column not in edges and column not in exposed]:
        raise ValueError(f"{mapping.name} does not expose {', '.join(hidden)}: they cannot be written either")
    target = Target(
        StoredTable.of(table),
        guard,
        {column: to_camel_case(column) if column in edges else exposed[column] for column in columns},
        {column: OBJECTS[edge.target].table for column, edge in edges.items()},
        shapes,
        author,
        whole,
        check,
    )
    if given := set(target.stamped).intersection(columns):
        raise ValueError(f"{table.name}: who made a row is not the caller's to give ({', '.join(sorted(given))})")
    return target


def column_values(sent: Mapping[str, Any], mapping: ObjectMapping, target: Target) -> dict[str, Any]:
    """The given values, keyed by column. A global id becomes the key it contains, a value of an enum its word."""
    values = {column: stored(sent[name]) for column, name in target.names.items() if name in sent}
    for column in values.keys() & target.references.keys():
        if values[column] is not None:
            edge = _edge(column, mapping)
            assert edge is not None
            values[column] = _referred(values[column], OBJECTS[edge.target], target.names[column])
    return values


def _edge(column: str, mapping: ObjectMapping) -> EdgeField | None:
    """The edge to the one row of the same database whose key the column holds."""
    for field in mapping.fields.values():
        if isinstance(field, EdgeField) and not field.many and field.local == (column,):
            far = OBJECTS[field.target].table
            if far.store == mapping.table.store and len(far.key) == 1 and field.remote in ((), far.key):
                return field
    return None


def _referred(node_id: str, far: ObjectMapping, name: str) -> Value:
    try:
        (key,) = row_key(node_id, far)
    except InvalidId as error:
        raise InvalidId(f"`{name}`: {error}", field=name) from error
    return key
