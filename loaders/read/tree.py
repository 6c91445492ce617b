"""The read itself, the reads nested in it, and what is shown of a list of rows."""

from dataclasses import dataclass, field
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
