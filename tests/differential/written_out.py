"""A document with the values of its variables written into it, so that they are constants."""

from collections.abc import Mapping
from typing import Any, cast

from graphql import (
    ArgumentNode,
    DocumentNode,
    GraphQLInputType,
    GraphQLSchema,
    ObjectFieldNode,
    OperationDefinitionNode,
    ValueNode,
    VariableNode,
    Visitor,
    parse,
    parse_value,
    print_ast,
    type_from_ast,
    visit,
)
from graphql.language.visitor import REMOVE

from tests.differential.documents import as_literal
from tests.differential.inputs import Json


def written_out(schema: GraphQLSchema, text: str, variables: Mapping[str, Json]) -> str | None:
    """The same query without variables. `None` where a value has no literal, such as a JSON key that is no name."""
    document = parse(text)
    (operation,) = (each for each in document.definitions if isinstance(each, OperationDefinitionNode))
    values: dict[str, ValueNode | None] = {}
    for each in operation.variable_definitions or ():
        name = each.variable.name.value
        if name not in variables:
            values[name] = each.default_value
            continue
        written = as_literal(variables[name], cast(GraphQLInputType, type_from_ast(schema, each.type)))
        if written is None:
            return None
        values[name] = parse_value(written)
    found: DocumentNode = visit(document, _Writing(values))
    return print_ast(found)


class _Writing(Visitor):
    """What takes a variable without a value is left out, as if it were not there; in a list it is null."""

    def __init__(self, values: Mapping[str, ValueNode | None]) -> None:
        super().__init__()
        self._values = values

    def enter_variable_definition(self, *_: Any) -> Any:
        return REMOVE

    def enter_argument(self, node: ArgumentNode, *_: Any) -> Any:
        return REMOVE if self._is_absent(node.value) else None

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> Any:
        return REMOVE if self._is_absent(node.value) else None

    def enter_variable(self, node: VariableNode, *_: Any) -> Any:
        return self._values[node.name.value] or parse_value("null")

    def _is_absent(self, value: ValueNode) -> bool:
        return isinstance(value, VariableNode) and self._values[value.name.value] is None
