"""In which order rows come, and which page of them."""

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
    """A keyset page. `after` and `before` hold one value per order term (already decoded from the cursor).

    `limit` rows at most from the start, or from the end when `backward`. `limit=None` is unbounded (Arrow).

    `ties` are for a table without a key, whose cursors count the rows that the order cannot tell apart: the page starts
    behind the first `ties` of those equal to `after`. `None` where cursors are by the key. `until` are values of the
    order's first terms, which no row of the page lies behind.
    """

    limit: int | None = None
    backward: bool = False
    after: tuple[Value, ...] | None = None
    before: tuple[Value, ...] | None = None
    ties: int | None = None
    until: tuple[Value, ...] | None = None
