"""Installs the compiled resolvers in the schema that strawberry has built.

strawberry generates the types and the SDL. A mapped field is then resolved from the AST of the document, so that its
arguments are coerced once, by graphql-core, and its rows are not completed a second time.
"""

from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable
from typing import Any

from graphql import (
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
)
from graphql.execution.values import VariableValues
from strawberry.types.field import StrawberryField

from resolvers.context import Context
from resolvers.permissions.fields import FieldGuard, OnObject, enforce
from resolvers.permissions.guards import Admins, SignedIn
from schema.mapping.collect import Document
from schema.mapping.compared import uses
from schema.mapping.object import OBJECTS
from schema.mapping.splice import Row

RootResolver = Callable[[Any, GraphQLResolveInfo[Any], Mapping[str, Any]], Awaitable[Any]]


def install(schema: GraphQLSchema) -> None:
    """Replaces the resolver of every field that was declared through the mapping, and makes graphql-core enforce
    `@oneOf`.
    """
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            declared = type_.extensions.get("strawberry-definition")
            type_.is_one_of = bool(declared and declared.is_one_of)  # strawberry only prints the directive
        if isinstance(type_, GraphQLInterfaceType) and type_.name == "Node":
            type_.resolve_type = _type_of
        if not isinstance(type_, GraphQLObjectType) or type_.name.startswith("__"):
            continue
        if type_.name in OBJECTS:
            type_.is_type_of = None  # strawberry expects instances of its class; here come rows
        for field in type_.fields.values():
            definition = field.extensions.get("strawberry-definition")
            if not isinstance(definition, StrawberryField):
                continue
            mapping, guard = definition.metadata.get("mapping"), definition.metadata.get("guard")
            if mapping is not None:
                field.resolve = _root(mapping) if callable(mapping) else _taken
            if isinstance(guard, SignedIn | Admins | OnObject) and not _is_mutation(schema, type_):
                field.resolve = _guarded(guard, field.resolve)


def document(info: GraphQLResolveInfo[Any]) -> Document:
    """The document around a field. strawberry's info has the coerced variables as a plain dict.

    Raises `CostExceeded` if its arguments hold too many values.
    """
    variables = info.variable_values
    coerced = variables.coerced if isinstance(variables, VariableValues) else variables
    context: Context = info.context
    context.budget.compare(lambda: uses(info.operation, info.fragments).size(coerced))
    return Document(info.schema, info.fragments, VariableValues({}, coerced))


def _type_of(row: Row, _: GraphQLResolveInfo[Any], __: Any) -> str:
    return row.open.type


def _taken(row: Row, info: GraphQLResolveInfo[Any], **_: Any) -> Any:
    return row.take(str(info.path.key))


def _is_mutation(schema: GraphQLSchema, type_: GraphQLObjectType) -> bool:
    """Mutations ask their guards themselves, since a refusal is part of their answer (schema/mapping/mutation.py)."""
    return type_ is schema.mutation_type


def _guarded(guard: FieldGuard, resolve: Callable[..., Any] | None) -> Callable[..., Awaitable[Any]]:
    assert resolve is not None

    async def guarded(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        await enforce(guard, info.context, source)
        value = resolve(source, info, **arguments)
        return await value if isawaitable(value) else value

    return guarded


def _root(resolver: RootResolver) -> Callable[..., Awaitable[Any]]:
    def resolve(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Awaitable[Any]:
        return resolver(source, info, arguments)

    return resolve
