"""Global ids of table-backed rows: the keys in them, and the conditions that select their rows."""

from functools import lru_cache, partial
from typing import Any, cast
from uuid import UUID

from loaders.description import Table
from loaders.encode.node_id import decode_node_id, split_key
from loaders.encode.value import decode_value
from loaders.errors import BadInput, InvalidId
from loaders.read import Among, And, Col, Compare, Op, Predicate, Slot, Value
from schema.mapping.object import OBJECTS, ObjectMapping
from schema.mapping.variables import take

MAX_IDS = 1_000
"""Of one `in`: as many as a page has rows."""
_DECODED = 4 * MAX_IDS
"""Ids that stay decoded: a list is used in several places of a document, and looked at more than once in each."""


def has_id(node_id: Any, mapping: ObjectMapping) -> Predicate:
    """The condition that selects the row with this global id. Raises `InvalidId` for an id of another type; a key that
    no row can have matches nothing.
    """
    parts = [take(node_id, partial(_part, mapping.name, place)) for place in range(len(mapping.table.key))]
    terms = tuple(Compare(Col(c), Op.EQ, v) for c, v in zip(mapping.table.key, parts, strict=True))
    return terms[0] if len(terms) == 1 else And(terms)


def has_id_of(ids: Any, mapping: ObjectMapping) -> Predicate:
    """The condition that selects the rows with these global ids, as `has_id`. Raises `BadInput` for too many ids."""
    if len(mapping.table.key) == 1:
        return Compare(Col(mapping.table.key[0]), Op.IN, take(ids, partial(_single_keys, mapping.name)))
    rows = cast("tuple[tuple[Value, ...], ...] | Slot", take(ids, partial(_keys, mapping.name)))
    return Among(mapping.table.key, rows)


def _part(type_name: str, place: int, node_id: str) -> Value:
    return _key(node_id, type_name)[place]


def _single_keys(type_name: str, ids: list[str]) -> tuple[Value, ...]:
    return tuple(key for (key,) in _keys(type_name, ids))


def _keys(type_name: str, ids: list[str]) -> tuple[tuple[Value, ...], ...]:
    if len(ids) > MAX_IDS:
        raise BadInput(
            f"`in` holds {len(ids)} ids, and at most {MAX_IDS} are looked up at once. Ask for them in parts."
        )
    return tuple(_key(node_id, type_name) for node_id in ids)


@lru_cache(_DECODED)
def _key(node_id: str, type_name: str) -> tuple[Value, ...]:
    return row_key(node_id, OBJECTS[type_name])


def row_key(node_id: str, mapping: ObjectMapping) -> tuple[Value, ...]:
    """The key in a global id of a row of `mapping`. Raises `InvalidId`, which shows the id as it was `given`."""
    try:
        type_name, text = decode_node_id(node_id)
        if type_name != mapping.name:
            raise InvalidId(f"The id is one of a {type_name}, and a {mapping.name} is asked for.")
        return parse_key(text, mapping.table)
    except InvalidId as error:
        raise InvalidId(str(error), given=node_id) from error


def uuid_key(node_id: str, type_name: str) -> UUID:
    """`row_key` of a type whose key is one UUID."""
    (key,) = row_key(node_id, OBJECTS[type_name])
    assert isinstance(key, UUID)
    return key


def integer_key(node_id: str, type_name: str) -> int:
    """`row_key` of a type whose key is one integer."""
    (key,) = row_key(node_id, OBJECTS[type_name])
    assert isinstance(key, int)
    return key


def parse_key(text: str, table: Table) -> tuple[Value, ...]:
    try:
        parts = split_key(text, len(table.key))
        return tuple(decode_value(part, table.column(name).type) for name, part in zip(table.key, parts, strict=True))
    except ValueError as error:
        raise InvalidId("The id does not fit its type. Pass an `id` exactly as a query returned it.") from error
