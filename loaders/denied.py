"""Denied fields of an answer: finds them by the marks that the guard station put beside them, and removes the marks.

A mark is a field whose key is no GraphQL name. It is null exactly in the rows in which its field is denied.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from loaders.errors import Forbidden
from loaders.failure import Failure, Path
from loaders.read import Col, Computed, Field, Masked, Read, Related

_MARK: Final = "!"


def mark(key: str, masked: Masked) -> Field:
    """The mark of field `key`. It shows the value that the mask depends on, which is null wherever the mask applies."""
    return Field(_MARK + key, Computed(Masked(Col(masked.holder), masked.holder, masked.values)))


def unmarked(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """Removes the marks without reporting, for answers without a place for errors: denied values are just null
    there.
    """
    return tuple(field for field in fields if not field.key.startswith(_MARK))


def marks_of(read: Read) -> tuple[tuple[str, ...], ...]:
    """The paths of the read's marks in its answer, without indexes of lists. Reads of other stores are not included."""
    return tuple(_marks(read, ()))


def _marks(read: Read, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for at, fields in read.shown():
        for field in fields:
            if field.key.startswith(_MARK):
                yield (*path, *at, field.key)
            elif isinstance(field.output, Related):
                yield from _marks(field.output.read, (*path, *at, field.key))


def take_marks(trees: Sequence[tuple[Any, Path]], marks: Iterable[tuple[str, ...]]) -> list[Failure]:
    """Removes the marks from the trees; returns one failure for each field that is denied somewhere."""
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
    """The objects at `path` with their places in the answer; goes through lists and stops at nulls."""
    if isinstance(tree, list):
        for position, item in enumerate(tree):
            yield from holders(item, path, (*at, position))
    elif tree is not None and path:
        yield from holders(tree[path[0]], path[1:], (*at, path[0]))
    elif tree is not None:
        yield tree, at
