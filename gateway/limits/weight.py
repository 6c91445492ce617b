"""Counts the parts of a selection with its fragments spread. Each fragment is counted once, so nested ones take linear
time.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
)

from gateway.limits.refusal import at_most

MAX_NESTING = 100
"""The maximum nesting of selection sets, fragments included: this module and graphql-core recurse that deep."""

INTROSPECTION = frozenset({"__schema", "__type"})


@dataclass(slots=True)
class Weight:
    """`selections` are fields and fragments, counted with fragments spread. `depth` counts nested fields outside of
    introspection and is 1 for a leaf.
    """

    selections: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    depth: int = 0

    def add(self, other: "Weight", *, deeper: int = 0) -> None:
        self.selections += other.selections
        self.fields += other.fields
        self.aliases += other.aliases
        self.directives += other.directives
        self.depth = max(self.depth, other.depth + deeper)


class Weigher:
    """Counts the selections of one document. Raises graphql-core's own validation error for a fragment that contains
    itself.
    """

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments
        self._weighed: dict[tuple[str, bool], Weight] = {}
        self._open: set[str] = set()

    def weigh(self, selection_set: SelectionSetNode | None, *, nesting: int = 1, introspecting: bool = False) -> Weight:
        """Raises `DocumentTooComplex` when selections are nested beyond `MAX_NESTING`."""
        weight = Weight()
        if selection_set is None:
            return weight
        at_most(MAX_NESTING, nesting, "nesting")
        for selection in selection_set.selections:
            weight.selections += 1
            weight.directives += len(selection.directives or ())
            self._add(weight, selection, nesting, introspecting)
        return weight

    def _add(self, weight: Weight, selection: SelectionNode, nesting: int, introspecting: bool) -> None:
        match selection:
            case FieldNode():
                weight.fields += 1
                weight.aliases += selection.alias is not None
                below = introspecting or selection.name.value in INTROSPECTION
                weight.depth = max(weight.depth, not below)
                inner = self.weigh(selection.selection_set, nesting=nesting + 1, introspecting=below)
                weight.add(inner, deeper=not below)
            case InlineFragmentNode():
                weight.add(self.weigh(selection.selection_set, nesting=nesting + 1, introspecting=introspecting))
            case FragmentSpreadNode():
                weight.add(self._spread(selection, nesting, introspecting))

    def _spread(self, spread: FragmentSpreadNode, nesting: int, introspecting: bool) -> Weight:
        name = spread.name.value
        key = (name, introspecting)
        if key in self._weighed:
            return self._weighed[key]
        fragment = self._fragments.get(name)
        if fragment is None:  # validation reports it
            return Weight()
        if name in self._open:
            raise GraphQLError(f"Cannot spread fragment '{name}' within itself.", spread)
        self._open.add(name)
        try:
            weight = self.weigh(fragment.selection_set, nesting=nesting + 1, introspecting=introspecting)
        finally:
            self._open.discard(name)
        self._weighed[key] = weight
        return weight
