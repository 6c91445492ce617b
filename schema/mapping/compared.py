"""Counts the values that the filters of an operation compare with: each list and each condition as often as it is used.

A variable is sent once and used in many places, and a fragment is spread many times, so limits on the size of a request
do not bound this number. It is checked before anything is built, since both the work of building and what is sent to
the stores grow with it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    ArgumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
    VariableNode,
)

_OBJECT = 50
"""A condition costs as much to build as so many values of a list."""
_NESTING = frozenset((str, dict, list))
_CHARACTERS = 100
"""A text counts again for each of these: geometries and JSON values are read whole wherever they stand."""


@dataclass(slots=True)
class Uses:
    """The number of values written in the arguments themselves, and how often each variable is used."""

    literal: int = 0
    variables: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Uses") -> None:
        self.literal += other.literal
        self.variables.update(other.variables)

    def size(self, values: Mapping[str, Any]) -> int:
        """The number of values with these coerced variables."""
        used = ((count, values[name]) for name, count in self.variables.items() if name in values)
        return self.literal + sum(count * _size(value) for count, value in used)


def uses(operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Uses:
    """Counts for a valid document. A mutation's `input` is written rather than compared, so it does not count."""
    counting = _Counting(fragments)
    if operation.operation is not OperationType.MUTATION:
        return counting.of(operation.selection_set)
    found = Uses()
    for selection in operation.selection_set.selections:
        if isinstance(selection, FieldNode) and selection.selection_set is not None:
            found.add(counting.of(selection.selection_set))
    return found


@dataclass(slots=True)
class _Counting:
    """Each fragment is counted once, so that nested fragments cost linear time."""

    fragments: Mapping[str, FragmentDefinitionNode]
    _known: dict[str, Uses] = field(default_factory=dict)

    def of(self, selections: SelectionSetNode) -> Uses:
        found = Uses()
        for selection in selections.selections:
            match selection:
                case FieldNode():
                    _add_arguments(found, selection.arguments)
                    if selection.selection_set is not None:
                        found.add(self.of(selection.selection_set))
                case InlineFragmentNode():
                    found.add(self.of(selection.selection_set))
                case FragmentSpreadNode():
                    found.add(self._of_fragment(selection.name.value))
        return found

    def _of_fragment(self, name: str) -> Uses:
        if name not in self._known:
            self._known[name] = self.of(self.fragments[name].selection_set)
        return self._known[name]


def _add_arguments(found: Uses, arguments: Iterable[ArgumentNode] | None) -> None:
    values: list[ValueNode] = [argument.value for argument in arguments or ()]
    while values:
        value = values.pop()
        match value:
            case VariableNode():
                found.variables[value.name.value] += 1
            case ListValueNode():
                found.literal += len(value.values)
                values += value.values
            case ObjectValueNode():
                found.literal += _OBJECT
                values += [each.value for each in value.fields]
            case StringValueNode():
                found.literal += len(value.value) // _CHARACTERS


def _size(value: Any) -> int:
    found = 0
    values = [value]
    while values:
        each = values.pop()
        match each:
            case str():
                found += len(each) // _CHARACTERS
            case dict():
                found += _OBJECT
                values += each.values()
            case list():
                found += len(each)
                values += [item for item in each if type(item) in _NESTING]
    return found
