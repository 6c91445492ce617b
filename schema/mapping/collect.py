"""CollectFields of the GraphQL specification (6.3.2) over a document's AST, for selections that graphql-core does not
execute.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    is_abstract_type,
    is_object_type,
)
from graphql.execution.values import VariableValues, get_argument_values, get_directive_values
from graphql.type.directives import GraphQLIncludeDirective, GraphQLSkipDirective

from schema.mapping.variables import decide


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """The fragments of a document by their names."""
    return {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}


@dataclass(frozen=True, slots=True)
class Document:
    """The context of a selection: the schema, the fragments and the coerced variables."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: VariableValues

    def arguments(self, field: GraphQLField, node: FieldNode) -> dict[str, Any]:
        return get_argument_values(field, node, self.variables)

    def collect(
        self, type_name: str, nodes: Iterable[FieldNode | OperationDefinitionNode]
    ) -> dict[str, list[FieldNode]]:
        """The fields selected below `nodes` for an object of that type, by response key, in document order."""
        collected: dict[str, list[FieldNode]] = {}
        visited: set[str] = set()
        for node in nodes:
            if node.selection_set is not None:
                self._collect(type_name, node.selection_set, collected, visited)
        return collected

    def _collect(
        self, type_name: str, selections: SelectionSetNode, collected: dict[str, list[FieldNode]], visited: set[str]
    ) -> None:
        for selection in selections.selections:
            if not self._included(selection):
                continue
            match selection:
                case FieldNode():
                    key = selection.alias.value if selection.alias else selection.name.value
                    collected.setdefault(key, []).append(selection)
                case InlineFragmentNode():
                    condition = selection.type_condition
                    if condition is None or self._applies(condition.name.value, type_name):
                        self._collect(type_name, selection.selection_set, collected, visited)
                case FragmentSpreadNode():
                    name = selection.name.value
                    fragment = self.fragments.get(name)
                    if name in visited or fragment is None:
                        continue
                    visited.add(name)
                    if self._applies(fragment.type_condition.name.value, type_name):
                        self._collect(type_name, fragment.selection_set, collected, visited)

    def _included(self, node: SelectionNode) -> bool:
        if not node.directives:
            return True
        skip = get_directive_values(GraphQLSkipDirective, node, self.variables)
        if skip and decide(skip["if"], bool):
            return False
        include = get_directive_values(GraphQLIncludeDirective, node, self.variables)
        return not include or decide(include["if"], bool)

    def _applies(self, condition: str, type_name: str) -> bool:
        if condition == type_name:
            return True
        abstract, object_ = self.schema.type_map.get(condition), self.schema.type_map.get(type_name)
        if not is_abstract_type(abstract) or not is_object_type(object_):
            return False
        return self.schema.is_sub_type(abstract, object_)
