"""The read itself, the reads nested in it, and what is shown of a list of rows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeAlias

from loaders.description import Table
from loaders.read.aggregate import Aggregate
from loaders.read.joined import Joined
from loaders.read.order import OrderBy, Page
from loaders.read.output import Computed, Literal, NodeId
from loaders.read.predicate import Join, Predicate


@dataclass(frozen=True, slots=True)
class Related:
    """A nested read over a join: an object or null when `read.connection` is None, else a connection."""

    join: Join
    read: "Read"


Output: TypeAlias = Computed | Literal | NodeId | Related


@dataclass(frozen=True, slots=True)
class Field:
    key: str
    output: Output


# --- lists ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Nodes:
    fields: tuple[Field, ...]


class EdgePart(StrEnum):
    CURSOR = "cursor"


@dataclass(frozen=True, slots=True)
class Edges:
    """Each entry: `cursor`, a `__typename` literal, or the node's own fields."""

    entries: tuple[tuple[str, "EdgePart | Literal | Nodes"], ...]


class PageInfoPart(StrEnum):
    HAS_NEXT_PAGE = "hasNextPage"
    HAS_PREVIOUS_PAGE = "hasPreviousPage"
    START_CURSOR = "startCursor"
    END_CURSOR = "endCursor"


@dataclass(frozen=True, slots=True)
class PageInfo:
    entries: tuple[tuple[str, PageInfoPart | Literal], ...]


@dataclass(frozen=True, slots=True)
class TotalCount:
    """Rows that match `where`, whatever the page."""


ConnectionPart: TypeAlias = Nodes | Edges | PageInfo | TotalCount | Aggregate | Literal


@dataclass(frozen=True, slots=True)
class Connection:
    entries: tuple[tuple[str, ConnectionPart], ...]

    def shown(self) -> "Iterator[Shown]":
        for key, part in self.entries:
            match part:
                case Nodes(fields):
                    yield (key,), fields
                case Edges(entries):
                    for below, entry in entries:
                        if isinstance(entry, Nodes):
                            yield (key, below), entry.fields

    def with_shown(self, change: "Change") -> "Connection":
        return Connection(tuple((key, _changed(part, (key,), change)) for key, part in self.entries))


def _changed(part: ConnectionPart, at: tuple[str, ...], change: "Change") -> ConnectionPart:
    match part:
        case Nodes(fields):
            return Nodes(change(fields, at))
        case Edges(entries):
            return Edges(
                tuple(
                    (key, Nodes(change(entry.fields, (*at, key))) if isinstance(entry, Nodes) else entry)
                    for key, entry in entries
                )
            )
        case _:
            return part


# --- the read ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Read:
    """Rows of `table` that match `where`, in `order` (made total by the table's key), cut to `page`.

    With `connection` the answer is a connection object; without, the first row's `fields` as an object, or null.
    Columns of `joined` are among those of `table`.
    """

    table: Table
    fields: tuple[Field, ...] = ()
    connection: Connection | None = None
    where: Predicate | None = None
    order: tuple[OrderBy, ...] = ()
    page: Page = field(default_factory=Page)
    joined: tuple[Joined, ...] = ()

    def shown(self) -> "Iterator[Shown]":
        """The fields of the read's own rows, wherever they stand in its answer. Nested reads are among them, and have
        fields of their own.
        """
        yield (), self.fields
        if self.connection is not None:
            yield from self.connection.shown()

    def with_shown(self, change: "Change") -> "Read":
        """The same read, with what `change` makes of these fields in their places."""
        connection = None if self.connection is None else self.connection.with_shown(change)
        return replace(self, fields=change(self.fields, ()), connection=connection)


Shown: TypeAlias = tuple[tuple[str, ...], tuple[Field, ...]]
"""Fields of a row, and the keys that lead to the row in the answer: those of `nodes`, or of `edges` and the node."""
Change: TypeAlias = Callable[[tuple[Field, ...], tuple[str, ...]], tuple[Field, ...]]
"""Makes others of a row's fields, whose keys it is given, too."""
