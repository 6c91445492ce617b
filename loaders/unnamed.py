"""Words of enum columns that have no name, such as one that a newer release has stored.

GraphQL has no value for such a word. Its field is null, with `ENUM_VALUE_UNKNOWN` at its path, as for every value that
cannot be serialized; the rest of the answer stays.

Where a store writes JSON, `UNNAMED` stands in the place of the word. No JSON text contains it, so one search through
the text of an answer tells that there is none, and only an answer that has one is taken apart.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

import orjson

from loaders.denied import holders
from loaders.description import Table
from loaders.errors import EnumValueUnknown
from loaders.expression import expression_type, measure_type
from loaders.failure import Failure, Path
from loaders.read import Aggregate, Computed, Expression, Figures, Literal, Measure, Read, Related

UNNAMED: Final = "\x1a"
"""SUBSTITUTE (ECMA-48). JSON escapes control characters inside of strings, and has no place for them elsewhere."""
_UNNAMED: Final = UNNAMED.encode()
_STRING: Final = orjson.dumps(UNNAMED).decode()
"""As JSON that can be read: a string that is the name of nothing."""

Enums: TypeAlias = tuple[tuple[tuple[str, ...], str], ...]
"""The paths of enum fields in an answer, without indexes of lists, and the name of each one's enum."""


def has_unnamed(text: str | bytes) -> bool:
    return UNNAMED in text if isinstance(text, str) else _UNNAMED in text


def readable(text: str | bytes) -> str | bytes:
    """The text as JSON, with a string in place of each `UNNAMED`, which `take_unnamed` finds."""
    if isinstance(text, str):
        return text.replace(UNNAMED, _STRING)
    return text.replace(_UNNAMED, _STRING.encode())


def enums_of(read: Read) -> Enums:
    """The enum fields of the read's answer. Reads of other stores are not included."""
    return tuple(_enums(read, ()))


def take_unnamed(trees: Sequence[tuple[Any, Path]], enums: Enums, store: str) -> list[Failure]:
    """Makes words without a name null in the trees; returns one failure for each field that has some."""
    failures: list[Failure] = []
    for path, name in enums:
        first: Path | None = None
        nulls = 0
        for holder, at in (found for tree, start in trees for found in holders(tree, path[:-1], start)):
            if holder[path[-1]] == UNNAMED:
                holder[path[-1]] = None
                nulls += 1
                first = first or (*at, path[-1])
        if first is not None:
            failures.append(Failure(first, nulls, EnumValueUnknown(store, f"What is stored is no {name}: it is null.")))
    return failures


def _enums(read: Read, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    for at, fields in read.shown():
        for field in fields:
            match field.output:
                case Computed(expression):
                    yield from _named(expression, read.table, (*path, *at, field.key))
                case Related(_, below):
                    yield from _enums(below, (*path, *at, field.key))
    for key, part in read.connection.entries if read.connection is not None else ():
        if isinstance(part, Aggregate):
            yield from _of_figures(part.entries, read.table, (*path, key))


def _of_figures(
    figures: tuple[tuple[str, Expression | Measure | Literal | Figures], ...], table: Table, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str]]:
    for key, figure in figures:
        match figure:
            case Figures(below):
                yield from _of_figures(below, table, (*path, key))
            case Literal():
                pass
            case shown:
                yield from _named(shown, table, (*path, key))


def _named(shown: Expression | Measure, table: Table, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    type_ = measure_type(shown, table) if isinstance(shown, Measure) else expression_type(shown, table)
    if type_.enumeration is not None:
        yield path, type_.enumeration.name
