"""Variables of an operation while a plan is built: placeholders that may be passed on but not looked at.

A plan is built once for all values of its variables. Each scalar, enum or list of them is therefore replaced by a
`Variable`, which raises `Opaque` when it is looked at. The code that builds reads has two ways to use one:

- `take`: the value, transformed, becomes part of the read; a slot stands for it in the plan.
- `decide`: the shape of the read depends on the value; the answer becomes part of the key of the plan.

Code that forgets both raises `Opaque`, and the operation is answered without a plan. Dicts, lists of input objects and
nulls are not replaced. For values without variables in them, which are constants of the document, both functions just
apply the given function.
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
    """Building looked at the value of a variable without `take` or `decide`: a defect of the mapping."""


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
    """A function of `template`, which consists of constants and of `At` in place of variables."""

    template: Any
    function: Callable[[Any], Any]

    def of(self, variables: Mapping[str, Any]) -> Any:
        """Raises what the function raises."""
        return self.function(_filled(self.template, variables))

    @property
    def same_as(self) -> Hashable:
        """A key that is equal for two that give the same value: the same function of the same place. Others equal only
        themselves.
        """
        if not isinstance(self.template, At):
            return id(self)
        function = self.function
        if not isinstance(function, partial):
            return self.template, function
        return self.template, function.func, function.args, *sorted(function.keywords.items())


@dataclass(slots=True)
class Recorder:
    """What building one plan has taken and decided. `taken[n]` is the value of slot n.

    Equal values share a slot: a list that is used forty times is decoded once.
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
    """Stands for a scalar, an enum, or a list of those in the variables. Never for a null."""

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
    """`function(value)`, which must be hashable. The shape of the read may depend on it."""
    recorder = _recorder(value)
    if recorder is None:
        return function(value)
    return recorder.decide(Derived(_template(value), function))


# --- wrapping ---------------------------------------------------------------------------------------------------------


def wrapped(variables: Mapping[str, Any], types: Mapping[str, GraphQLInputType], recorder: Recorder) -> dict[str, Any]:
    """The coerced variables with a `Variable` in place of each leaf."""
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
    """All that building may see of the variables: their names, and their dicts, lists and nulls."""
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
    """The type of an input field. `name` is its key in coerced values."""
    declared = type_.fields.get(name)
    if declared is None or declared.out_name not in (None, name):
        declared = next(each for each in type_.fields.values() if each.out_name == name)
    found: GraphQLInputType = declared.type
    return found


# --- templates --------------------------------------------------------------------------------------------------------


def _recorder(value: Any) -> Recorder | None:
    """The recorder of a variable anywhere in the value. Scalars in lists are skipped quickly, since operands of `in`
    are long.
    """
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
