"""Maps a path of response keys to the schema coordinate `Type.field` that it stands for, for the audit log."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    get_named_type,
)

from gateway.http.documents import Operation
from schema.mapping.collect import fragments_of

_Keys: TypeAlias = Mapping[str, Sequence[tuple[GraphQLNamedType, FieldNode]]]
"""The fields behind each response key of one place, with the types they are selected of."""


class Coordinates:
    """The schema coordinates of one operation. Selections are collected lazily, when the first path is asked for, and
    each place once.
    """

    __slots__ = ("_known", "_operation", "_schema")

    def __init__(self, schema: GraphQLSchema, operation: Operation) -> None:
        self._schema = schema
        self._operation = operation
        self._known: dict[tuple[str, ...], _Keys] = {}

    def of(self, path: Sequence[str | int]) -> str:
        """The coordinate of the innermost field that the path names; empty for the operation itself."""
        found, at = "", tuple[str, ...]()
        if at not in self._known:
            root = self._schema.get_root_type(self._operation.kind)
            assert root is not None
            self._known[at] = self._keys([(root, self._operation.node.selection_set)])
        for key in (step for step in path if isinstance(step, str)):
            fields = self._known[at].get(key)
            if not fields:
                break
            type_, node = fields[0]
            found, at = f"{type_.name}.{node.name.value}", (*at, key)
            if at not in self._known:
                self._known[at] = self._keys([(_type_of(*each), each[1].selection_set) for each in fields])
        return found

    def _keys(self, places: Sequence[tuple[GraphQLNamedType, SelectionSetNode | None]]) -> _Keys:
        fragments = fragments_of(self._operation.document)
        keys = defaultdict(list)
        for type_, selections in places:
            for of, node in self._fields(type_, selections, fragments):
                keys[node.alias.value if node.alias else node.name.value].append((of, node))
        return keys

    def _fields(
        self,
        type_: GraphQLNamedType,
        selections: SelectionSetNode | None,
        fragments: Mapping[str, FragmentDefinitionNode],
    ) -> Iterator[tuple[GraphQLNamedType, FieldNode]]:
        for selection in selections.selections if selections else ():
            if isinstance(selection, FieldNode):
                yield type_, selection
                continue
            assert isinstance(selection, FragmentSpreadNode | InlineFragmentNode)
            fragment = fragments[selection.name.value] if isinstance(selection, FragmentSpreadNode) else selection
            condition = fragment.type_condition
            of = type_ if condition is None else self._schema.type_map[condition.name.value]
            yield from self._fields(of, fragment.selection_set, fragments)


def _type_of(type_: GraphQLNamedType, node: FieldNode) -> GraphQLNamedType:
    """The named type of the field; the enclosing type for fields that are not in the schema's types (`__typename`)."""
    fields = getattr(type_, "fields", {})
    field = fields.get(node.name.value)
    return type_ if field is None else get_named_type(field.type)
