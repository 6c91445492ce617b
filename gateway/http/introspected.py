"""Answers introspection with graphql-core's own resolvers, but without its executor.

The schema does not change while the process lives, so answers are cached by their selection alone, whatever comments,
fragments, variables and other fields are around it. For the whole of a large schema graphql-core's executor needs
seconds, this some hundredths of one. It runs in a thread, for one request at a time.
"""

from asyncio import get_running_loop
from collections.abc import Coroutine, Hashable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, NamedTuple, Protocol, TypeAlias
from weakref import WeakKeyDictionary

import orjson
from graphql import (
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLWrappingType,
    SchemaMetaFieldDef,
    TypeMetaFieldDef,
    get_named_type,
    get_nullable_type,
    is_enum_type,
    is_list_type,
)
from graphql.execution.collect_fields import CollectedFields, FieldDetails
from graphql.execution.values import VariableValues, get_argument_values

from loaders.bounded_cache import BoundedCache

INTROSPECTIONS = frozenset({SchemaMetaFieldDef.type, TypeMetaFieldDef.type})
"""The types of the two fields, `__schema` and `__type`."""
_MAX_BYTES = 16_000_000
_FIELD_BYTES = 500
"""Of a field that was asked for, in what an answer is kept under."""
_ALONE = ThreadPoolExecutor(max_workers=1, thread_name_prefix="introspection")


class Asked(NamedTuple):
    """A field of a selection of `type_`, one of introspection's types. `below` is `None` for a leaf."""

    key: str
    type_: str
    field: str
    arguments: tuple[tuple[str, Any], ...]
    below: "Selection | None"


Selection: TypeAlias = tuple[Asked, ...]


class Collects(Protocol):
    """What of graphql-core's executor finds the fields of a selection, with fragments, `@skip` and `@include`."""

    schema: GraphQLSchema
    variable_values: VariableValues

    def collect_subfields(
        self, return_type: GraphQLObjectType, field_details_list: list[FieldDetails]
    ) -> CollectedFields: ...


def introspected(
    executor: Collects, return_type: Any, nodes: list[FieldDetails], source: Any, info: GraphQLResolveInfo[Any]
) -> orjson.Fragment | Coroutine[Any, Any, orjson.Fragment]:
    """The answer of a field of one of `INTROSPECTIONS`, whose resolver found `source`.

    Raises `GraphQLError` for a variable's null where an argument takes none.
    """
    selection = _selection(executor, get_named_type(return_type), nodes)
    kept = _kept.get(info.schema)
    if kept is None:
        kept = _kept[info.schema] = _Kept(info)
    return kept.answer(source, selection)


def _selection(executor: Collects, type_: Any, nodes: list[FieldDetails]) -> Selection:
    return tuple(
        _asked(executor, type_, key, below)
        for key, below in executor.collect_subfields(type_, nodes).grouped_field_set.items()
    )


def _asked(executor: Collects, type_: GraphQLObjectType, key: str, nodes: list[FieldDetails]) -> Asked:
    node = nodes[0].node
    field = executor.schema.get_field(type_, node.name.value)
    assert field is not None  # the document is valid
    arguments = get_argument_values(field, node, executor.variable_values) if field.args else {}
    named = get_named_type(field.type)
    below = _selection(executor, named, nodes) if isinstance(named, GraphQLObjectType) else None
    return Asked(key, type_.name, node.name.value, tuple(arguments.items()), below)


class _Kept:
    """Of one schema: answers as JSON, by the name of the type that was asked for and the selection; and all that was
    told of its things, of which other selections ask again.
    """

    def __init__(self, info: GraphQLResolveInfo[Any]) -> None:
        self._things = _Things(info)
        self._answers: BoundedCache[tuple[str | None, Selection], bytes] = BoundedCache(_MAX_BYTES)
        self._lock = Lock()

    def answer(self, source: Any, selection: Selection) -> orjson.Fragment | Coroutine[Any, Any, orjson.Fragment]:
        found = self._get(source, selection)
        return self._read_alone(source, selection) if found is None else orjson.Fragment(found)

    async def _read_alone(self, source: Any, selection: Selection) -> orjson.Fragment:
        return orjson.Fragment(await get_running_loop().run_in_executor(_ALONE, self._read, source, selection))

    def read(self, source: Any, selection: Selection) -> bytes:
        """The answer, not kept yet."""
        return _read(self._things.of(source), _Compiled(selection), self._things)

    def _get(self, source: Any, selection: Selection) -> bytes | None:
        with self._lock:
            return self._answers.get((getattr(source, "name", None), selection))

    def _read(self, source: Any, selection: Selection) -> bytes:
        found = self._get(source, selection)  # another request may have asked meanwhile
        if found is None:
            found = self.read(source, selection)
            with self._lock:
                self._answers.keep((getattr(source, "name", None), selection), found, len(found) + _size(selection))
        return found


def _size(selection: Selection) -> int:
    return sum(_FIELD_BYTES + (0 if asked.below is None else _size(asked.below)) for asked in selection)


_kept: WeakKeyDictionary[GraphQLSchema, _Kept] = WeakKeyDictionary()


class _Thing:
    """The schema, or a type, field, argument, value or directive of it.

    `texts` is what it told of itself, as JSON with its key, and `below` what it led to, both by what was asked.
    """

    __slots__ = ("below", "is_type", "source", "texts")

    def __init__(self, source: Any, *, is_type: bool) -> None:
        self.source = source
        self.is_type = is_type
        self.texts: dict[str, bytes] = {}
        self.below: dict[str, _Thing | tuple[_Thing, ...] | None] = {}


class _Things:
    """Of one schema, each there once: a schema has as many objects of a type such as `[T!]!` as places for it."""

    def __init__(self, info: GraphQLResolveInfo[Any]) -> None:
        self._info = info
        self._types: dict[Hashable, _Thing] = {}

    def of(self, source: Any) -> _Thing:
        same = _same(source)
        if same is None:
            return _Thing(source, is_type=False)
        found = self._types.get(same)
        if found is None:
            found = self._types[same] = _Thing(source, is_type=True)
        return found

    def tell(self, thing: _Thing, question: str, asked: Asked, key: bytes) -> bytes:
        """A leaf's key and value."""
        if asked.field == "__typename":
            found, type_ = asked.type_, None
        else:
            found, type_ = self._resolved(thing, asked)
        text = thing.texts[question] = key + orjson.dumps(_shown(found, type_))
        return text

    def lead(self, thing: _Thing, question: str, asked: Asked) -> "_Thing | tuple[_Thing, ...] | None":
        """The things that are there: one, or a list's."""
        found, type_ = self._resolved(thing, asked)
        led: _Thing | tuple[_Thing, ...] | None = None
        if found is not None:
            led = tuple(map(self.of, found)) if is_list_type(type_) else self.of(found)
        thing.below[question] = led
        return led

    def _resolved(self, thing: _Thing, asked: Asked) -> tuple[Any, Any]:
        """With the field's type, that is no non-null one."""
        parent = self._info.schema.type_map[asked.type_]
        assert isinstance(parent, GraphQLObjectType)
        field = parent.fields[asked.field]
        assert field.resolve is not None  # introspection's fields all have one
        return field.resolve(thing.source, self._info, **dict(asked.arguments)), get_nullable_type(field.type)


def _same(source: Any) -> Hashable:
    """Equal for types that are the same; `None` for what is no type."""
    if isinstance(source, GraphQLNamedType):
        return source.name
    if isinstance(source, GraphQLWrappingType):
        return type(source), _same(source.of_type)
    return None


def _shown(found: Any, type_: Any) -> Any:
    """As JSON has it: an enum by its name."""
    if found is None:
        return None
    if is_list_type(type_):
        below = get_nullable_type(type_.of_type)
        return [_shown(item, below) for item in found]
    return found.name if is_enum_type(type_) else found


class _Compiled:
    """A selection as a reading walks it: what is asked, under which name that is kept (within introspection there are
    no aliases), its key in the answer, and what is below. `texts` is what it found of types, wherever they stand.
    """

    __slots__ = ("steps", "texts")

    def __init__(self, selection: Selection) -> None:
        self.texts: dict[_Thing, bytes] = {}
        self.steps: list[tuple[Asked, str, bytes, _Compiled | None]] = [
            (
                asked,
                f"{asked.key}: {asked.field} {asked.arguments}",
                orjson.dumps(asked.key) + b":",
                None if asked.below is None else _Compiled(asked.below),
            )
            for asked in selection
        ]


def _read(thing: _Thing, compiled: _Compiled, things: _Things) -> bytes:
    """The object as JSON. One call for each: a whole schema is some ten thousand of them."""
    told, texts = thing.texts, []
    for asked, question, key, below in compiled.steps:
        if below is None:
            texts.append(told.get(question) or things.tell(thing, question, asked, key))
            continue
        found = thing.below.get(question, thing)
        if found is thing:  # nothing leads to itself: this was not asked before
            found = things.lead(thing, question, asked)
        if found is None:
            texts.append(key + b"null")
        elif isinstance(found, tuple):
            listed = [below.texts.get(each) or _read(each, below, things) for each in found]
            texts.append(key + b"[" + b",".join(listed) + b"]")
        else:
            texts.append(key + (below.texts.get(found) or _read(found, below, things)))
    text = b"{" + b",".join(texts) + b"}"
    if thing.is_type:
        compiled.texts[thing] = text
    return text
