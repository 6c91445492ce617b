"""The `Read`: one relational read as a value, from the GraphQL selection to the statement of a store.

Frozen and hashable all the way down. Stations map `Read -> Read` (guard, plan) or `Read -> statement` (compile); nobody
edits one in place. Keys of output objects are the response keys of the document (aliases applied), in document order.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from loaders.description import Table

# A scalar or a tuple of scalars, exactly as the store's parameter wants it: uuid.UUID, datetime (aware), Decimal, ...
Value: TypeAlias = object


@dataclass(frozen=True, slots=True)
class Slot:
    """Stands where a value of a request stands, never for a null: `values[index]` of what the read is run with.

    A read with slots is the same for all values, so what is made of it once is kept (loaders/parameters.py). Besides
    `Value`s, a page's limit and a vector may be slots; who compiles reads without slots need not think of them.
    """

    index: int


# --- expressions over the row -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Col:
    """A column of the read's own table."""

    name: str


@dataclass(frozen=True, slots=True)
class JsonPath:
    """Text at a path inside a JSON column; absent is null."""

    column: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CosineSimilarity:
    """1 - cosine distance of a vector column to `vector` (reference/aura-data-model.md, 5.1). Range [-1, 1]."""

    column: str
    vector: tuple[float, ...]


class Unit(StrEnum):
    """A unit of the calendar or the clock. Weeks start on Monday (ISO 8601)."""

    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Bucket:
    """The first instant of the `unit` an instant lies in, as the clocks of `time_zone` (an IANA name) count it.

    A day is from midnight to midnight, of 23 or 25 hours where the clocks change. Of a date, the first date of the unit
    (DAY or longer), whatever the zone.
    """

    column: str
    unit: Unit
    time_zone: str = "UTC"


Expression: TypeAlias = Col | JsonPath | CosineSimilarity | Bucket


# --- predicates -------------------------------------------------------------------------------------------------------


class Op(StrEnum):
    EQ = "eq"
    NE = "ne"
    IN = "in"
    NOT_IN = "not_in"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    IS_NULL = "is_null"  # value True or False
    LIKE = "like"
    ILIKE = "ilike"
    STARTS_WITH = "starts_with"
    CONTAINS = "contains"  # JSON or array contains value
    CONTAINED_BY = "contained_by"
    HAS_KEY = "has_key"
    BBOX = "bbox"  # value (west, south, east, north) in degrees
    INTERSECTS = "intersects"  # value GeoJSON text
    WITHIN = "within"  # value GeoJSON text
    DWITHIN = "dwithin"  # value (GeoJSON text, metres)


@dataclass(frozen=True, slots=True)
class Compare:
    """`expression op value`. IN and NOT_IN take a tuple. Null never equals: SQL's three-valued logic applies."""

    expression: Expression
    op: Op
    value: Value


@dataclass(frozen=True, slots=True)
class And:
    terms: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True)
class Or:
    terms: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True)
class Not:
    term: "Predicate"


@dataclass(frozen=True, slots=True)
class Exists:
    """At least one row of the related table matches. `none` is Not(Exists), `every` that no row fails to match."""

    join: "Join"
    where: "Predicate | None" = None


@dataclass(frozen=True, slots=True)
class Never:
    """No row: what a guard adds when nothing is visible. A store need not be asked."""


Predicate: TypeAlias = Compare | And | Or | Not | Exists | Never


# --- order and page ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OrderBy:
    """Nulls sort as largest: last ascending, first descending, unless `nulls_first` says otherwise."""

    expression: Expression
    descending: bool = False
    nulls_first: bool | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A keyset page. `after` and `before` hold one value per order term (already decoded from the cursor).

    `limit` rows at most from the start, or from the end when `backward`. `limit=None` is unbounded (Arrow, exports).
    """

    limit: int | None = None
    backward: bool = False
    after: tuple[Value, ...] | None = None
    before: tuple[Value, ...] | None = None


# --- outputs ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Join:
    """How a related table is reached: `target.remote[i] = own.local[i]` for each i."""

    target: Table
    local: tuple[str, ...]
    remote: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Computed:
    """The value of an expression, encoded as its type says."""

    expression: Expression


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant, such as `__typename`."""

    value: str | int | bool | None


@dataclass(frozen=True, slots=True)
class NodeId:
    """The opaque Relay id: base64url of `Type:key` (`|` between the parts of a compound key)."""

    type: str
    columns: tuple[str, ...]


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


# --- connection-level outputs -----------------------------------------------------------------------------------------


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


class AggregateFunction(StrEnum):
    COUNT = "count"
    COUNT_DISTINCT = "count_distinct"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    STDDEV = "stddev"  # of a sample (n - 1): null of a single value
    PERCENTILE = "percentile"  # interpolated between the two nearest values (SQL's percentile_cont)


@dataclass(frozen=True, slots=True)
class Measure:
    """`expression=None` only for COUNT of rows; `fraction` in [0, 1] only for PERCENTILE."""

    function: AggregateFunction
    expression: Expression | None = None
    fraction: float | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """An object of figures within a group's object."""

    entries: tuple[tuple[str, "Expression | Measure | Literal"], ...]


@dataclass(frozen=True, slots=True)
class Having:
    """Only groups for which `where` holds. Its columns are the measures: `Col(figure(i))` is `measures[i]`."""

    measures: tuple[Measure, ...]
    where: Predicate


def figure(position: int) -> str:
    """The name of a measure of `Having` as a column."""
    return f"h{position}"


@dataclass(frozen=True, slots=True)
class GroupOrder:
    """By a measure of the groups, or by an expression of `group_by`. Nulls as in `OrderBy`."""

    by: "Expression | Measure"
    descending: bool = False
    nulls_first: bool | None = None


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Groups over the whole match (not the page) in `order`, ties by their keys, the first `limit` of them.

    Each object has its entries in order: a group key's expression, a measure, or an object of such. No `group_by` gives
    exactly one, of which no `having` is asked. More than `bound` groups are `PageTooLarge`, never cut.
    """

    group_by: tuple[Expression, ...]
    entries: tuple[tuple[str, "Expression | Measure | Literal | Figures"], ...]
    limit: int | None = None
    having: Having | None = None
    bound: int | None = None
    order: tuple[GroupOrder, ...] = ()

    def __post_init__(self) -> None:
        if not self.group_by and (self.having is not None or self.order):
            raise ValueError("`having` and `order` are about groups, and there are none without `group_by`")
        if any(not isinstance(term.by, Measure) and term.by not in self.group_by for term in self.order):
            raise ValueError("`order` names an expression that `group_by` does not")

    @property
    def figures(self) -> "tuple[Expression | Measure | Literal, ...]":
        """What the entries show, those of nested objects among them, in order."""
        found: list[Expression | Measure | Literal] = []
        for _, entry in self.entries:
            found += [each for _, each in entry.entries] if isinstance(entry, Figures) else [entry]
        return tuple(found)

    @property
    def hidden(self) -> tuple[Measure, ...]:
        """The measures that `having` and `order` need beside those that the entries show."""
        ordered = tuple(term.by for term in self.order if isinstance(term.by, Measure))
        return (*(self.having.measures if self.having is not None else ()), *ordered)

    @property
    def fetched(self) -> int | None:
        """How many groups to read: one beyond `bound`, to see whether there are more."""
        if self.bound is None:
            return self.limit
        return self.bound + 1 if self.limit is None else min(self.limit, self.bound + 1)


ConnectionPart: TypeAlias = Nodes | Edges | PageInfo | TotalCount | Aggregate | Literal


@dataclass(frozen=True, slots=True)
class Connection:
    entries: tuple[tuple[str, ConnectionPart], ...]


# --- the read ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Read:
    """Rows of `table` that match `where`, in `order` (made total by the table's key), cut to `page`.

    With `connection` the answer is a connection object; without, the first row's `fields` as an object, or null.
    """

    table: Table
    fields: tuple[Field, ...] = ()
    connection: Connection | None = None
    where: Predicate | None = None
    order: tuple[OrderBy, ...] = ()
    page: Page = field(default_factory=Page)
