"""Filters a table demands of its readers: whether a condition narrows the columns it is only read by."""

from collections.abc import Iterable
from enum import Enum, auto

from loaders.errors import FilterRequired
from loaders.read import And, Col, Compare, Op, Or, Predicate
from loaders.warehouses.places import TableFilter


class Hold(Enum):
    """What a condition holds a column to."""

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
    """What every row that matches is held to in the column. A negation holds to nothing."""
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
    """Whether the condition does what the filter asks for, or more."""
    return holds(predicate, filter_.column) >= _NEEDED[filter_.operator]


def require_filters(
    predicate: Predicate | None, filters: Iterable[TableFilter], *, narrow: str = "Narrow it in `where`"
) -> None:
    """`FilterRequired` names the first column that is not narrowed as its filter demands, and how to `narrow` it."""
    for filter_ in filters:
        if filter_.is_required and not is_narrowed(predicate, filter_):
            raise FilterRequired(
                f"Table {filter_.table} is only read with a filter on {filter_.column!r} (`{filter_.operator}`). "
                f"{narrow}; nothing was asked of the store."
            )
