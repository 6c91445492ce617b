"""Denied fields of an answer: found by marks the guard station put beside them, reported, and the marks taken out.

A mark is a field whose key is no GraphQL name. It is null in rows where its field is denied, and nowhere else.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from loaders.errors import Forbidden
from loaders.failure import Failure, Path
from loaders.read import Col, Computed, Edges, Field, Masked, Nodes, Read, Related

_MARK: Final = "!"


def mark(key: str, masked: Masked) -> Field:
    """The mark of field `key`. It shows what the mask is decided by, which is null wherever the mask is."""
    return Field(_MARK + key, Computed(Masked(Col(masked.holder), masked.holder, masked.values)))


def unmarked(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """Without marks, for answers that have no place to report: denied values are null there."""
    return tuple(field for field in fields if not field.key.startswith(_MARK))


def marks_of(read: Read) -> tuple[tuple[str, ...], ...]:
    """The paths of the read's marks in its answer, lists on the way left out. Not below reads of other stores."""
    return tuple(_marks(read, ()))


def _marks(read: Read, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield from _marks_among(read.fields, path)
    for key, part in read.connection.entries if read.connection is not None else ():
        match part:
            case Nodes(fields):
                yield from _marks_among(fields, (*path, key))
            case Edges(entries):
                for below, entry in entries:
                    if isinstance(entry, Nodes):
                        yield from _marks_among(entry.fields, (*path, key, below))


def _marks_among(fields: tuple[Field, ...], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for field in fields:
        if field.key.startswith(_MARK):
            yield (*path, field.key)
        elif isinstance(field.output, Related):
            yield from _marks(field.output.read, (*path, field.key))


def take_marks(trees: Sequence[tuple[Any, Path]], marks: Iterable[tuple[str, ...]]) -> list[Failure]:
    """Takes the marks out of the trees; one failure for each field that is denied somewhere."""
    failures: list[Failure] = []
    for path in marks:
        key = path[-1].removeprefix(_MARK)
        first: Path | None = None
        nulls = 0
        for holder, at in (found for tree, start in trees for found in holders(tree, path[:-1], start)):
            if holder.pop(path[-1]) is None:
                nulls += 1
                first = first or (*at, key)
        if first is not None:
            failures.append(Failure(first, nulls, Forbidden(f"You may not see this {_field(nulls)}: it is null.")))
    return failures


def _field(nulls: int) -> str:
    return "field" if nulls == 1 else f"field of {nulls} of the objects"


def holders(tree: Any, path: tuple[str, ...], at: Path) -> Iterator[tuple[dict[str, Any], Path]]:
    """The objects at `path`, with where they stand in the answer; lists on the way are walked, nulls end it."""
    if isinstance(tree, list):
        for position, item in enumerate(tree):
            yield from holders(item, path, (*at, position))
    elif tree is not None and path:
        yield from holders(tree[path[0]], path[1:], (*at, path[0]))
    elif tree is not None:
        yield tree, at
