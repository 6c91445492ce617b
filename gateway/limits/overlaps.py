"""Counts the pairs of fields that the quadratic validation rule "overlapping fields can be merged" has to compare.

They are counted over the selections with fragments spread, whose number `max_fields` bounds.
"""

from collections.abc import Iterable, Mapping

from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode

from gateway.limits.refusal import at_most


def check_overlaps(
    roots: Iterable[SelectionSetNode], fragments: Mapping[str, FragmentDefinitionNode], *, maximum: int
) -> None:
    """Raises `DocumentTooComplex` when one place has more than `maximum` pairs of fields with the same response name,
    or of fragments.
    """
    pairs = 0
    waiting: list[list[SelectionSetNode]] = [[root] for root in roots]
    while waiting:
        fields, spreads = merged(waiting.pop(), fragments)
        pairs += _pairs(spreads)
        for nodes in fields.values():
            pairs += _pairs(len(nodes))
            below = [node.selection_set for node in nodes if node.selection_set is not None]
            if below:
                waiting.append(below)
        at_most(maximum, pairs, "overlapping fields")


def merged(
    sets: Iterable[SelectionSetNode], fragments: Mapping[str, FragmentDefinitionNode]
) -> tuple[dict[str, list[FieldNode]], int]:
    """The fields selected in one place, by response name, and the number of distinct fragments spread to find them."""
    fields: dict[str, list[FieldNode]] = {}
    spread: set[str] = set()
    waiting = list(sets)
    while waiting:
        for selection in waiting.pop().selections:
            match selection:
                case FieldNode():
                    name = (selection.alias or selection.name).value
                    fields.setdefault(name, []).append(selection)
                case InlineFragmentNode():
                    waiting.append(selection.selection_set)
                case FragmentSpreadNode():
                    name = selection.name.value
                    if name not in spread and name in fragments:
                        spread.add(name)
                        waiting.append(fragments[name].selection_set)
    return fields, len(spread)


def _pairs(count: int) -> int:
    return count * (count - 1) // 2
