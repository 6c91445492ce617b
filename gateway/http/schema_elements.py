"""The elements of a schema (types, fields, arguments, enum values, directives), encoded as introspection selects them.

graphql-core's resolvers are called once for each element and field; what they return is kept as JSON, since other
selections ask for the same. A schema has some ten thousand elements.
"""

from collections.abc import Hashable
from typing import Any, NamedTuple, TypeAlias

import orjson
from graphql import (
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLWrappingType,
    get_nullable_type,
    is_enum_type,
    is_list_type,
)


class SelectedField(NamedTuple):
    """A field of a selection of `type_`, one of introspection's types. `below` is `None` for a leaf."""

    key: str
    type_: str
    field: str
    arguments: tuple[tuple[str, Any], ...]
    below: "Selection | None"


Selection: TypeAlias = tuple[SelectedField, ...]


class Element:
    """The schema itself, or an element of it: `source` is graphql-core's object.

    `leaves` are its leaf fields as JSON, each with its key, and `nested` the elements that other fields lead to. Both
    are keyed by the identity of the field (see `Compiled`).
    """

    __slots__ = ("is_type", "leaves", "nested", "source")

    def __init__(self, source: Any, *, is_type: bool) -> None:
        self.source = source
        self.is_type = is_type
        self.leaves: dict[str, bytes] = {}
        self.nested: dict[str, Element | tuple[Element, ...] | None] = {}


class Elements:
    """The elements of one schema. A type is one element, although a schema has as many objects of a type such as
    `[T!]!` as places for it.
    """

    def __init__(self, info: GraphQLResolveInfo[Any]) -> None:
        self._info = info
        self._types: dict[Hashable, Element] = {}

    def of(self, source: Any) -> Element:
        identity = _type_identity(source)
        if identity is None:
            return Element(source, is_type=False)
        found = self._types.get(identity)
        if found is None:
            found = self._types[identity] = Element(source, is_type=True)
        return found

    def leaf(self, element: Element, identity: str, selected: SelectedField, key: bytes) -> bytes:
        """Resolves a leaf field: its key and value as JSON."""
        if selected.field == "__typename":
            value, type_ = selected.type_, None
        else:
            value, type_ = self._resolved(element, selected)
        text = element.leaves[identity] = key + orjson.dumps(_json_ready(value, type_))
        return text

    def nested(
        self, element: Element, identity: str, selected: SelectedField
    ) -> "Element | tuple[Element, ...] | None":
        """Resolves any other field: the element it leads to, or those of its list."""
        value, type_ = self._resolved(element, selected)
        found: Element | tuple[Element, ...] | None = None
        if value is not None:
            found = tuple(map(self.of, value)) if is_list_type(type_) else self.of(value)
        element.nested[identity] = found
        return found

    def _resolved(self, element: Element, selected: SelectedField) -> tuple[Any, Any]:
        """The value, and the field's nullable type."""
        parent = self._info.schema.type_map[selected.type_]
        assert isinstance(parent, GraphQLObjectType)
        field = parent.fields[selected.field]
        assert field.resolve is not None  # introspection's fields all have one
        return field.resolve(element.source, self._info, **dict(selected.arguments)), get_nullable_type(field.type)


class Compiled:
    """A selection as `encoded` walks it. Each step: the field, its identity (within introspection there are no
    aliases), its key as JSON, and the selection below. `types` are the answers for types, wherever they occur.
    """

    __slots__ = ("steps", "types")

    def __init__(self, selection: Selection) -> None:
        self.types: dict[Element, bytes] = {}
        self.steps: list[tuple[SelectedField, str, bytes, Compiled | None]] = [
            (
                selected,
                f"{selected.key}: {selected.field} {selected.arguments}",
                orjson.dumps(selected.key) + b":",
                None if selected.below is None else Compiled(selected.below),
            )
            for selected in selection
        ]


def encoded(element: Element, compiled: Compiled, elements: Elements) -> bytes:
    """The JSON object of an element. Recursive, with one call for each object of the answer."""
    leaves, texts = element.leaves, []
    for selected, identity, key, below in compiled.steps:
        if below is None:
            texts.append(leaves.get(identity) or elements.leaf(element, identity, selected, key))
            continue
        found = element.nested.get(identity, element)
        if found is element:  # nothing leads to itself: this was not asked before
            found = elements.nested(element, identity, selected)
        if found is None:
            texts.append(key + b"null")
        elif isinstance(found, tuple):
            listed = [below.types.get(each) or encoded(each, below, elements) for each in found]
            texts.append(key + b"[" + b",".join(listed) + b"]")
        else:
            texts.append(key + (below.types.get(found) or encoded(found, below, elements)))
    text = b"{" + b",".join(texts) + b"}"
    if element.is_type:
        compiled.types[element] = text
    return text


def _type_identity(source: Any) -> Hashable:
    """Equal for types that are the same; `None` for elements that are no types."""
    if isinstance(source, GraphQLNamedType):
        return source.name
    if isinstance(source, GraphQLWrappingType):
        return type(source), _type_identity(source.of_type)
    return None


def _json_ready(value: Any, type_: Any) -> Any:
    """The value of a leaf field as JSON has it: an enum value by its name."""
    if value is None:
        return None
    if is_list_type(type_):
        below = get_nullable_type(type_.of_type)
        return [_json_ready(item, below) for item in value]
    return value.name if is_enum_type(type_) else value
