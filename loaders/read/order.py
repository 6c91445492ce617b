"""The order of rows, and the page."""

from dataclasses import dataclass
from typing import TypeAlias

from loaders.read.expression import Expression, Value
from loaders.read.predicate import Join, Predicate


@dataclass(frozen=True, slots=True)
class Through:
    """`by` of the one row the join leads to, among those that match `where`; null where there is none."""

    join: Join
    by: "SortKey"
    where: Predicate | None = None


@dataclass(frozen=True, slots=True)
class CountOf:
    """How many rows the join leads to that match `where`."""

    join: Join
    where: Predicate | None = None


SortKey: TypeAlias = Expression | Through | CountOf


@dataclass(frozen=True, slots=True)
class OrderBy:
    """Nulls sort as largest: last ascending, first descending, unless `nulls_first` says otherwise."""

    expression: SortKey
    descending: bool = False
    nulls_first: bool | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A keyset page. `after` and `before` hold one value per order term, decoded from the cursor.

    At most `limit` rows from the start, or from the end if `backward`. `limit=None` is unbounded (Arrow).

    `ties` is for a table without a key, whose cursors count the rows that the order cannot tell apart: the page starts
    after the first `ties` rows that equal `after`. `None` if cursors are by key. `until` are values of the first order
    terms; no row of the page comes after them.
    """

    limit: int | None = None
    backward: bool = False
    after: tuple[Value, ...] | None = None
    before: tuple[Value, ...] | None = None
    ties: int | None = None
    until: tuple[Value, ...] | None = None
