"""The groups of an aggregate as JSON objects."""

import pyarrow as pa

from loaders.columnar.answer import Answer, bytes_of
from loaders.encode.json import literal_text, object_text
from loaders.encode.text import json_text
from loaders.errors import PageTooLarge
from loaders.read import Aggregate, AggregateFunction, Expression, Figures, Literal, Measure
from loaders.room import Made

_COUNTS = (AggregateFunction.COUNT, AggregateFunction.COUNT_DISTINCT)


def aggregate_objects(
    aggregate: Aggregate, answer: Answer, arity: int, made: Made
) -> dict[tuple[str, ...], list[bytes]]:
    """The groups of each key (`()` without keys), in order. The columns are the key (`arity` of them), the group keys,
    the measures. Raises `PageTooLarge` for more groups than are answered, and for more text than `made` takes.
    """
    measures = iter(range(arity + len(aggregate.group_by), len(answer.statement.columns)))

    def text_of(entry: Expression | Measure | Literal | Figures) -> pa.Array | str:
        match entry:
            case Literal():
                return literal_text(entry)
            case Figures(below):
                return object_text([(name, text_of(figure)) for name, figure in below], answer.rows)
            case Measure():
                return column_text(next(measures))
            case group:
                return column_text(arity + aggregate.group_by.index(group))

    def column_text(position: int) -> pa.Array:
        text = json_text(*answer.column(position))
        made.add(int(text.nbytes))
        return text

    objects = bytes_of(object_text([(name, text_of(entry)) for name, entry in aggregate.entries], answer.rows))
    if not arity:
        return {(): _bounded(objects, aggregate)}
    keys = zip(*(answer.texts(column) for column in range(arity)), strict=True)
    by_key: dict[tuple[str, ...], list[bytes]] = {}
    for key, text in zip(keys, objects, strict=True):
        by_key.setdefault(tuple(part or "" for part in key), []).append(text)
    return {key: _bounded(texts, aggregate) for key, texts in by_key.items()}


def _bounded(objects: list[bytes], aggregate: Aggregate) -> list[bytes]:
    if aggregate.bound is not None and len(objects) > aggregate.bound:
        raise PageTooLarge(
            f"An aggregate has more than {aggregate.bound} groups. Use `first`, `where` or fewer groups."
        )
    return objects


def without_rows(aggregate: Aggregate) -> list[bytes]:
    """The aggregate over no rows: no groups, or the one group of everything, with counts of 0 and nulls."""
    if aggregate.group_by:
        return []
    return bytes_of(object_text([(name, _text_of_nothing(entry)) for name, entry in aggregate.entries], 1))


def _text_of_nothing(entry: Expression | Measure | Literal | Figures) -> pa.Array | str:
    match entry:
        case Literal():
            return literal_text(entry)
        case Figures(below):
            return object_text([(name, _text_of_nothing(figure)) for name, figure in below], 1)
        case _:
            return "0" if isinstance(entry, Measure) and entry.function in _COUNTS else "null"
