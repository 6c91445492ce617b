"""Finds out which operations may answer whole reads of tables later: those with `@defer` above reads, not only within
them.
"""

from collections.abc import Mapping

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_object_type,
)

from schema.mapping.compose import mapped
from schema.mapping.roots import Namespace

_DEFER = "defer"


def defers_reads(
    schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> bool:
    """Whether a fragment at the root or in a namespace is deferred. `fragments` are those of the valid document.

    Nothing within a read can arrive earlier than the read itself, so an operation that defers only there is planned
    like any other.
    """
    root = schema.get_root_type(operation.operation)
    return root is not None and _defers(root, operation.selection_set, fragments, set())


def _defers(
    type_: GraphQLObjectType,
    selections: SelectionSetNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    visited: set[str],
) -> bool:
    for selection in selections.selections:
        match selection:
            case FieldNode():
                declared = type_.fields.get(selection.name.value)
                if declared is None or selection.selection_set is None or not isinstance(mapped(declared), Namespace):
                    continue
                below = get_named_type(declared.type)
                if is_object_type(below) and _defers(below, selection.selection_set, fragments, visited):
                    return True
            case InlineFragmentNode() | FragmentSpreadNode() if _is_deferred(selection):
                return True
            case InlineFragmentNode():
                if _defers(type_, selection.selection_set, fragments, visited):
                    return True
            case FragmentSpreadNode():
                name = selection.name.value
                if name in visited:
                    continue
                visited.add(name)
                if _defers(type_, fragments[name].selection_set, fragments, visited):
                    return True
    return False


def _is_deferred(fragment: InlineFragmentNode | FragmentSpreadNode) -> bool:
    return any(directive.name.value == _DEFER for directive in fragment.directives or ())
