"""Bounds the shape of introspection, which is exempt from the depth limit so that GraphiQL's query passes.

Lists of types, fields or input fields within lists of fields would multiply by the size of the schema at every level.
"""

from collections.abc import Mapping

from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode

from gateway.limits.refusal import at_most
from gateway.limits.weight import INTROSPECTION

_MAX_TYPES = 10
_MAX_FIELDS = 300
"""Counted with fragments spread. The query of GraphiQL, Apollo and code generators has 229 fields."""
_WIDE = frozenset({"fields", "inputFields", "interfaces", "possibleTypes"})


def check_introspection(root: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
    """Raises `DocumentTooComplex`. Expects that the number and nesting of selections were checked, and that no fragment
    contains itself.
    """
    _Walk(fragments).root(root)


class _Walk:
    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments
        self._schemas: set[str] = set()
        self._types: set[str] = set()
        self._selected = 0

    def root(self, selection_set: SelectionSetNode) -> None:
        for field in self._fields(selection_set):
            if field.name.value not in INTROSPECTION:
                continue
            asked = self._schemas if field.name.value == "__schema" else self._types
            asked.add((field.alias or field.name).value)
            at_most(1, len(self._schemas), "introspections of the whole schema")
            at_most(_MAX_TYPES, len(self._types), "introspected types")
            if field.selection_set is not None:
                self._below(field.selection_set, wide=0)

    def _below(self, selection_set: SelectionSetNode, *, wide: int) -> None:
        for field in self._fields(selection_set):
            self._selected += 1
            at_most(_MAX_FIELDS, self._selected, "fields within introspection")
            at_most(0, int(field.alias is not None), "aliases within introspection")
            deeper = wide + (field.name.value in _WIDE)
            at_most(1, deeper, "lists of fields within one another in introspection")
            if field.selection_set is not None:
                self._below(field.selection_set, wide=deeper)

    def _fields(self, selection_set: SelectionSetNode) -> list[FieldNode]:
        fields: list[FieldNode] = []
        for selection in selection_set.selections:
            match selection:
                case FieldNode():
                    fields.append(selection)
                case InlineFragmentNode():
                    fields += self._fields(selection.selection_set)
                case FragmentSpreadNode():
                    name = selection.name.value
                    if name in self._fragments:
                        fields += self._fields(self._fragments[name].selection_set)
        return fields
