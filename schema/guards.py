"""Checks that every field has a guard: a schema with an unguarded field is not built.

The guard of a field is found at its declaration. A column or an edge is guarded by its type's rows (and a column also
by a guard of its own); a list or object of a root by the rows of its target. A field without a resolver is part of its
parent's value and guarded with it. All others, including mutations and subscriptions, carry a `FieldGuard`.
"""

from collections.abc import Iterator

from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema
from strawberry.types.field import StrawberryField

from resolvers.permissions.fields import ByRows, FieldGuard
from resolvers.permissions.guards import RowGuard
from schema.mapping.object import OBJECTS, EdgeField, FieldMapping, ResolvedField
from schema.mapping.payload import ChangedRow
from schema.mapping.roots import ConnectionRoot, Namespace, ObjectRoot

Found = RowGuard | FieldGuard | Namespace


def guards(schema: GraphQLSchema) -> Iterator[tuple[str, Found | None]]:
    """Each field that can return more than its parent's value, as `Type.field`, with its guard; None where there is
    none.
    """
    for name, type_ in schema.type_map.items():
        if not isinstance(type_, GraphQLObjectType) or name.startswith("__"):
            continue
        for field_name, field in type_.fields.items():
            definition = _definition(field)
            if definition.base_resolver is not None or "mapping" in definition.metadata:
                yield f"{name}.{field_name}", _guard(name, field_name, definition)


def unguarded(schema: GraphQLSchema) -> list[str]:
    """The fields without a guard. A guard that lets everyone pass must give a reason to count as one."""
    return [name for name, guard in guards(schema) if guard is None or getattr(guard, "reason", "said") == ""]


def _definition(field: GraphQLField) -> StrawberryField:
    definition = field.extensions["strawberry-definition"]
    assert isinstance(definition, StrawberryField)
    return definition


def _guard(type_name: str, field_name: str, definition: StrawberryField) -> Found | None:
    declared: FieldGuard | None = definition.metadata.get("guard")
    mapping = definition.metadata.get("mapping") or definition.metadata.get("namespace")
    match mapping:
        case ConnectionRoot(target) | ObjectRoot(target) | ChangedRow(target):
            return OBJECTS[target].guard
        case Namespace():
            return mapping
        case "connection":
            return ByRows("a part of a list, whose rows are guarded")
        case _ if declared is not None:
            return declared
        case _ if type_name in OBJECTS:
            return _of_row(type_name, OBJECTS[type_name].fields[field_name])
    return None


def _of_row(type_name: str, field: FieldMapping) -> RowGuard | None:
    match field:
        case ResolvedField():
            return None
        case EdgeField(target):
            return OBJECTS[target].guard
        case _:
            return OBJECTS[type_name].guard
