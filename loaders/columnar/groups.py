"""The groups of an aggregate as JSON objects."""

import pyarrow as pa

from loaders.columnar.answer import Answer, bytes_of
from loaders.encode.json import literal_text, object_text
from loaders.encode.text import json_text
from loaders.read import Aggregate, AggregateFunction, Literal, Measure

_COUNTS = (AggregateFunction.COUNT, AggregateFunction.COUNT_DISTINCT)


def aggregate_objects(aggregate: Aggregate, answer: Answer, arity: int) -> dict[tuple[str, ...], list[bytes]]:
    """The groups by key (`()` without keys), in order. Columns: the key's `arity`, the group keys, the measures."""
    position = arity + len(aggregate.group_by)
    entries: list[tuple[str, pa.Array | str]] = []
    for name, entry in aggregate.entries:
        match entry:
            case Literal():
                entries.append((name, literal_text(entry)))
            case Measure():
                entries.append((name, json_text(*answer.column(position))))
                position += 1
            case group:
                entries.append((name, json_text(*answer.column(arity + aggregate.group_by.index(group)))))
    objects = bytes_of(object_text(entries, answer.rows))
    if not arity:
        return {(): objects}
    keys = zip(*(answer.texts(column) for column in range(arity)), strict=True)
    by_key: dict[tuple[str, ...], list[bytes]] = {}
    for key, text in zip(keys, objects, strict=True):
        by_key.setdefault(tuple(part or "" for part in key), []).append(text)
    return by_key


def without_rows(aggregate: Aggregate) -> list[bytes]:
    """What an aggregate over no rows is: no groups, or the one group of everything with counts 0 and all else null."""
    if aggregate.group_by:
        return []
    entries: list[tuple[str, pa.Array | str]] = []
    for name, entry in aggregate.entries:
        if isinstance(entry, Literal):
            entries.append((name, literal_text(entry)))
        else:
            counts = isinstance(entry, Measure) and entry.function in _COUNTS
            entries.append((name, "0" if counts else "null"))
    return bytes_of(object_text(entries, 1))
