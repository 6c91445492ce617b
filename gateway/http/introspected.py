"""Answers introspection with graphql-core's own resolvers, but without its executor.

The schema does not change while the process lives, so answers are cached by their selection alone, whatever comments,
fragments, variables and other fields are around it. For the whole of a large schema graphql-core's executor needs
seconds, this some hundredths of one. It runs in a thread, for one request at a time.
"""

from asyncio import get_running_loop
from collections.abc import Callable, Coroutine
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
Reader: TypeAlias = Callable[[Any], Any]


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
    """Of one schema: answers as JSON, by the name of the type that was asked for and the selection."""

    def __init__(self, info: GraphQLResolveInfo[Any]) -> None:
        self._info = info
        self._answers: BoundedCache[tuple[str | None, Selection], bytes] = BoundedCache(_MAX_BYTES)
        self._lock = Lock()

    def answer(self, source: Any, selection: Selection) -> orjson.Fragment | Coroutine[Any, Any, orjson.Fragment]:
        found = self._get(source, selection)
        return self._read_alone(source, selection) if found is None else orjson.Fragment(found)

    async def _read_alone(self, source: Any, selection: Selection) -> orjson.Fragment:
        return orjson.Fragment(await get_running_loop().run_in_executor(_ALONE, self._read, source, selection))

    def _get(self, source: Any, selection: Selection) -> bytes | None:
        with self._lock:
            return self._answers.get((getattr(source, "name", None), selection))

    def _read(self, source: Any, selection: Selection) -> bytes:
        found = self._get(source, selection)  # another request may have asked meanwhile
        if found is None:
            found = orjson.dumps(_Reading(self._info).object(source, selection))
            with self._lock:
                self._answers.keep((getattr(source, "name", None), selection), found, len(found) + _size(selection))
        return found


def _size(selection: Selection) -> int:
    return sum(_FIELD_BYTES + (0 if asked.below is None else _size(asked.below)) for asked in selection)


_kept: WeakKeyDictionary[GraphQLSchema, _Kept] = WeakKeyDictionary()


class _Reading:
    """One reading of the schema. What a selection finds of a named type is found once, wherever the type stands."""

    def __init__(self, info: GraphQLResolveInfo[Any]) -> None:
        self._info = info
        self._named: dict[tuple[int, int], dict[str, Any]] = {}
        self._readers: dict[int, list[tuple[str, Reader]]] = {}

    def object(self, source: Any, selection: Selection) -> dict[str, Any]:
        if not isinstance(source, GraphQLNamedType):
            return {key: read(source) for key, read in self._of(selection)}
        known = (id(source), id(selection))  # both outlive this reading
        found = self._named.get(known)
        if found is None:
            found = self._named[known] = {key: read(source) for key, read in self._of(selection)}
        return found

    def _of(self, selection: Selection) -> list[tuple[str, Reader]]:
        readers = self._readers.get(id(selection))
        if readers is None:
            readers = self._readers[id(selection)] = [(asked.key, self._reader(asked)) for asked in selection]
        return readers

    def _reader(self, asked: Asked) -> Reader:
        if asked.field == "__typename":
            return lambda _: asked.type_
        parent = self._info.schema.type_map[asked.type_]
        assert isinstance(parent, GraphQLObjectType)
        field, arguments, info, below = parent.fields[asked.field], dict(asked.arguments), self._info, asked.below
        resolve = field.resolve
        assert resolve is not None  # introspection's fields all have one
        whole = self._completed(field.type, below)
        if whole is None:
            return lambda source: resolve(source, info, **arguments)
        return lambda source: None if (found := resolve(source, info, **arguments)) is None else whole(found)

    def _completed(self, type_: Any, below: Selection | None) -> Reader | None:
        """What is made of a value that is no null; `None` for one that stays as it is."""
        type_ = get_nullable_type(type_)
        if is_list_type(type_):
            each = self._completed(type_.of_type, below)
            return list if each is None else lambda found: [each(item) for item in found]
        if below is not None:
            return lambda found: self.object(found, below)
        return (lambda found: found.name) if is_enum_type(type_) else None
