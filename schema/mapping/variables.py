"""Variables of an operation as their building sees them: values it may hand on, and must not look at.

What is built of an operation is built once for all values of its variables. So its leaves stand there as `Variable`,
which answers nothing. Building says either `take`: the value (transformed) goes into the read, and a slot stands for
it; or `decide`: what is built depends on it, and the answer becomes part of what the plan is kept under. Whoever
forgets both gets `Opaque`, and the operation is answered without a plan. Dicts, lists of input objects and nulls are
themselves. A value without variables in it is a constant of the document: both functions just apply what is given.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn, TypeAlias

from graphql import (
    GraphQLInputObjectType,
    GraphQLInputType,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.type import get_named_type

from loaders.read import Slot, Value

Path: TypeAlias = tuple[str | int, ...]


class Opaque(Exception):
    """Building looked at the value of a variable instead of taking it or deciding by it: a defect of the mapping."""


@dataclass(frozen=True, slots=True)
class At:
    """The value at a path of the coerced variables."""

    path: Path

    def of(self, variables: Mapping[str, Any]) -> Any:
        value: Any = variables
        for step in self.path:
            value = value[step]
        return value


@dataclass(frozen=True, slots=True)
class Derived:
    """A function of what stands in `template`: constants, and `At` where variables stand."""

    template: Any
    function: Callable[[Any], Any]

    def of(self, variables: Mapping[str, Any]) -> Any:
        """Raises what the function raises."""
        return self.function(_filled(self.template, variables))

    @property
    def same_as(self) -> Hashable:
        """Equal for two that give the same value: the same function of the same place. Others equal themselves only."""
        if not isinstance(self.template, At):
            return id(self)
        function = self.function
        if not isinstance(function, partial):
            return self.template, function
        return self.template, function.func, function.args, *sorted(function.keywords.items())


@dataclass(slots=True)
class Recorder:
    """What one building took and decided by. `taken[n]` is the value of slot n.

    What stands at several places is one: a list used forty times is decoded once, and has one slot.
    """

    variables: Mapping[str, Any]
    taken: list[Derived] = field(default_factory=list)
    decided: list[tuple[Derived, Hashable]] = field(default_factory=list)
    _slots: dict[Hashable, Slot] = field(default_factory=dict)
    _answers: dict[Hashable, Hashable] = field(default_factory=dict)

    def take(self, derived: Derived) -> Slot:
        known = self._slots.get(derived.same_as)
        if known is None:
            known = self._slots[derived.same_as] = Slot(len(self.taken))
            self.taken.append(derived)
        return known

    def decide(self, question: Derived) -> Any:
        if question.same_as not in self._answers:
            answer = question.of(self.variables)
            self._answers[question.same_as] = answer
            self.decided.append((question, answer))
        return self._answers[question.same_as]


class Variable:
    """A leaf of the variables: a scalar, an enum, or a list of those. Never null."""

    __slots__ = ("at", "recorder")

    def __init__(self, at: At, recorder: Recorder) -> None:
        self.at = at
        self.recorder = recorder

    def _opaque(self, *_: object) -> NoReturn:
        raise Opaque(f"building looked at the variable {self.at.path}")

    __bool__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _opaque
    __str__ = __repr__ = __len__ = __iter__ = __contains__ = __getitem__ = __int__ = __float__ = __hash__ = _opaque


_NESTING = frozenset((Variable, list, tuple, dict))


def same(value: Any) -> Any:
    return value


def take(value: Any, function: Callable[[Any], Any] = same) -> Value:
    """`function(value)`, or the slot that stands for it."""
    recorder = _recorder(value)
    if recorder is None:
        return function(value)
    return recorder.take(Derived(_template(value), function))


def decide(value: Any, function: Callable[[Any], Any]) -> Any:
    """`function(value)`, hashable, of which the read itself may depend."""
    recorder = _recorder(value)
    if recorder is None:
        return function(value)
    return recorder.decide(Derived(_template(value), function))


# --- wrapping ---------------------------------------------------------------------------------------------------------


def wrapped(variables: Mapping[str, Any], types: Mapping[str, GraphQLInputType], recorder: Recorder) -> dict[str, Any]:
    """The coerced variables with `Variable` for every leaf."""
    return {name: _wrapped(value, types[name], (name,), recorder) for name, value in variables.items()}


def _wrapped(value: Any, type_: GraphQLInputType, path: Path, recorder: Recorder) -> Any:
    if value is None:
        return None
    if is_leaf_type(get_named_type(type_)):
        return Variable(At(path), recorder)
    if is_non_null_type(type_):
        return _wrapped(value, type_.of_type, path, recorder)
    if is_list_type(type_):
        return [_wrapped(item, type_.of_type, (*path, place), recorder) for place, item in enumerate(value)]
    assert is_input_object_type(type_)
    return {name: _wrapped(below, _field(type_, name), (*path, name), recorder) for name, below in value.items()}


def skeleton(variables: Mapping[str, Any], types: Mapping[str, GraphQLInputType]) -> Hashable:
    """All that building may see of the variables: which there are, and their dicts, lists and nulls."""
    return tuple((name, _skeleton(value, types[name])) for name, value in variables.items())


def _skeleton(value: Any, type_: GraphQLInputType) -> Hashable:
    if value is None:
        return None
    if is_leaf_type(get_named_type(type_)):
        return True
    if is_non_null_type(type_):
        return _skeleton(value, type_.of_type)
    if is_list_type(type_):
        return tuple(_skeleton(item, type_.of_type) for item in value)
    assert is_input_object_type(type_)
    return tuple((name, _skeleton(below, _field(type_, name))) for name, below in value.items())


def _field(type_: GraphQLInputObjectType, name: str) -> GraphQLInputType:
    """`name` is the field's key in coerced values."""
    declared = type_.fields.get(name)
    if declared is None or declared.out_name not in (None, name):
        declared = next(each for each in type_.fields.values() if each.out_name == name)
    found: GraphQLInputType = declared.type
    return found


# --- templates --------------------------------------------------------------------------------------------------------


def _recorder(value: Any) -> Recorder | None:
    """Of a variable anywhere in the value. Operands of `in` are long: their scalars are passed over at once."""
    kind = type(value)
    if kind is Variable:
        found: Recorder = value.recorder
        return found
    if kind not in _NESTING:
        return None
    items = value.values() if kind is dict else value
    return next(filter(None, (_recorder(item) for item in items if type(item) in _NESTING)), None)


def _template(value: Any) -> Any:
    match value:
        case Variable():
            return value.at
        case list() | tuple():
            return [_template(item) for item in value]
        case dict():
            return {name: _template(item) for name, item in value.items()}
        case _:
            return value


def _filled(template: Any, variables: Mapping[str, Any]) -> Any:
    match template:
        case At():
            return template.of(variables)
        case list():
            return [_filled(item, variables) for item in template]
        case dict():
            return {name: _filled(item, variables) for name, item in template.items()}
        case _:
            return template
