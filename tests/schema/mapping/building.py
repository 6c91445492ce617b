"""Documents over the real schema, built into reads without a store."""

from collections.abc import Mapping
from typing import Any

from graphql import (
    FieldNode,
    GraphQLObjectType,
    OperationDefinitionNode,
    get_named_type,
    parse,
    validate,
)
from graphql.execution.values import VariableValues, get_variable_values

from loaders.read import Read
from schema.build import build, graphql_schema
from schema.mapping.collect import Document, fragments_of
from schema.mapping.roots import ConnectionRoot
from schema.mapping.selection import Built, Selection


def built(
    document: str,
    variables: Mapping[str, Any] | None = None,
    *,
    max_page: int | None = 1000,
) -> Built:
    """The read of the one root connection that the document selects. A document that is not valid fails the test."""
    schema = graphql_schema(build())
    parsed = parse(document)
    assert validate(schema, parsed) == []
    (operation,) = (node for node in parsed.definitions if isinstance(node, OperationDefinitionNode))
    values = get_variable_values(schema, operation.variable_definitions or (), dict(variables or {}))
    assert isinstance(values, VariableValues), values
    context = Document(schema, fragments_of(parsed), VariableValues({}, values.coerced))
    query = schema.query_type
    assert query is not None
    ((name, domain),) = (
        (node.name.value, node) for node in operation.selection_set.selections if isinstance(node, FieldNode)
    )
    group = get_named_type(query.fields[name].type)
    assert isinstance(group, GraphQLObjectType)
    ((_, nodes),) = context.collect(group.name, [domain]).items()
    field = group.fields[nodes[0].name.value]
    declared = field.extensions["strawberry-definition"].metadata["mapping"]
    assert isinstance(declared, ConnectionRoot)
    return declared.build(Selection(context, max_page=max_page), nodes, context.arguments(field, nodes[0]))


def read_of(document: str, variables: Mapping[str, Any] | None = None, *, max_page: int | None = 1000) -> Read:
    return built(document, variables, max_page=max_page).read
