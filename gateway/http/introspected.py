"""Answers introspection with graphql-core's own resolvers, but without its executor.

The schema does not change while the process lives, so answers are cached by their selection alone, whatever comments,
fragments, variables and other fields are around it. For the whole of a large schema graphql-core's executor needs
seconds, this some hundredths of one. It runs in a thread, for one request at a time.
"""

from asyncio import get_running_loop
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import orjson
from graphql import (
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    SchemaMetaFieldDef,
    TypeMetaFieldDef,
    get_named_type,
)
from graphql.execution.collect_fields import CollectedFields, FieldDetails
from graphql.execution.values import VariableValues, get_argument_values

from gateway.http.schema_elements import Compiled, Elements, SelectedField, Selection, encoded
from loaders.bounded_cache import BoundedCache

INTROSPECTIONS = frozenset({SchemaMetaFieldDef.type, TypeMetaFieldDef.type})
"""The types of the two fields, `__schema` and `__type`."""
_MAX_BYTES = 16_000_000
_FIELD_BYTES = 500
"""Of a field that was asked for, in what an answer is kept under."""
_ALONE = ThreadPoolExecutor(max_workers=1, thread_name_prefix="introspection")


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
        _selected_field(executor, type_, key, below)
        for key, below in executor.collect_subfields(type_, nodes).grouped_field_set.items()
    )


def _selected_field(executor: Collects, type_: GraphQLObjectType, key: str, nodes: list[FieldDetails]) -> SelectedField:
    node = nodes[0].node
    field = executor.schema.get_field(type_, node.name.value)
    assert field is not None  # the document is valid
    arguments = get_argument_values(field, node, executor.variable_values) if field.args else {}
    named = get_named_type(field.type)
    below = _selection(executor, named, nodes) if isinstance(named, GraphQLObjectType) else None
    return SelectedField(key, type_.name, node.name.value, tuple(arguments.items()), below)


class _Kept:
    """Of one schema: its elements, and answers as JSON by the name of the type that was asked for and the selection."""

    def __init__(self, info: GraphQLResolveInfo[Any]) -> None:
        self._elements = Elements(info)
        self._answers: BoundedCache[tuple[str | None, Selection], bytes] = BoundedCache(_MAX_BYTES)
        self._lock = Lock()

    def answer(self, source: Any, selection: Selection) -> orjson.Fragment | Coroutine[Any, Any, orjson.Fragment]:
        found = self._get(source, selection)
        return self._read_alone(source, selection) if found is None else orjson.Fragment(found)

    async def _read_alone(self, source: Any, selection: Selection) -> orjson.Fragment:
        return orjson.Fragment(await get_running_loop().run_in_executor(_ALONE, self._read, source, selection))

    def read(self, source: Any, selection: Selection) -> bytes:
        """The answer, not kept yet."""
        return encoded(self._elements.of(source), Compiled(selection), self._elements)

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
