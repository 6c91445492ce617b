"""Required filters of tables: whether a condition restricts the columns that must be filtered."""

from collections.abc import Iterable
from enum import Enum, auto

from loaders.errors import FilterRequired
from loaders.read import And, Col, Compare, Op, Or, Predicate
from loaders.warehouses.places import TableFilter


class Hold(Enum):
    """A way in which a condition restricts a column."""

    EXACT = auto()
    LOWER = auto()
    UPPER = auto()
    UNEQUAL = auto()
    PATTERN = auto()
    NULLS = auto()


_HOLDS = {
    Op.EQ: frozenset(Hold) - {Hold.NULLS},
    Op.IN: frozenset(Hold) - {Hold.NULLS},
    Op.LT: frozenset({Hold.UPPER}),
    Op.LTE: frozenset({Hold.UPPER}),
    Op.GT: frozenset({Hold.LOWER}),
    Op.GTE: frozenset({Hold.LOWER}),
    Op.NE: frozenset({Hold.UNEQUAL}),
    Op.NOT_IN: frozenset({Hold.UNEQUAL}),
    Op.LIKE: frozenset({Hold.PATTERN}),
    Op.ILIKE: frozenset({Hold.PATTERN}),
    Op.STARTS_WITH: frozenset({Hold.PATTERN}),
    Op.IS_NULL: frozenset({Hold.NULLS}),
}
_NEEDED = {
    "eq": {Hold.EXACT},
    "in": {Hold.EXACT},
    "lt": {Hold.UPPER},
    "lte": {Hold.UPPER},
    "gt": {Hold.LOWER},
    "gte": {Hold.LOWER},
    "between": {Hold.LOWER, Hold.UPPER},
    "ne": {Hold.UNEQUAL},
    "notIn": {Hold.UNEQUAL},
    "like": {Hold.PATTERN},
    "ilike": {Hold.PATTERN},
    "startsWith": {Hold.PATTERN},
    "isNull": {Hold.NULLS},
}


def holds(predicate: Predicate | None, column: str) -> frozenset[Hold]:
    """How the condition restricts the column for every row that matches. A negation restricts nothing."""
    match predicate:
        case Compare(Col(name), op, _) if name == column:
            return _HOLDS.get(op, frozenset())
        case And(terms):
            return frozenset().union(*(holds(term, column) for term in terms))
        case Or(terms) if terms:
            return frozenset.intersection(*(holds(term, column) for term in terms))
        case _:
            return frozenset()


def is_narrowed(predicate: Predicate | None, filter_: TableFilter) -> bool:
    """Whether the condition restricts the column as the filter requires, or more."""
    return holds(predicate, filter_.column) >= _NEEDED[filter_.operator]


def require_filters(
    predicate: Predicate | None, filters: Iterable[TableFilter], *, narrow: str = "Narrow it in `where`"
) -> None:
    """`FilterRequired` names the first column that is not restricted as its filter requires; `narrow` says how to do
    it.
    """
    for filter_ in filters:
        if filter_.is_required and not is_narrowed(predicate, filter_):
            raise FilterRequired(
                f"Table {filter_.table} is only read with a filter on {filter_.column!r} (`{filter_.operator}`). "
                f"{narrow}; nothing was asked of the store."
            )
