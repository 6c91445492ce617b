"""Compiles the order of a read, and the keyset condition of a page in that order."""

from sqlglot import exp

from loaders.columnar.binder import Binder
from loaders.description import Table
from loaders.encode.cursor import StoreText
from loaders.errors import InvalidCursor
from loaders.expression import is_nullable, sortable
from loaders.order import check_cursor, nulls_first
from loaders.read import CountOf, Expression, OrderBy, Through, Value


def order_clause(terms: tuple[OrderBy, ...], table: Table, binder: Binder) -> list[exp.Expr]:
    return [
        exp.Ordered(
            this=_term(term, table, binder),
            desc=term.descending,
            nulls_first=nulls_first(term) and is_nullable(term.expression, table),
        )
        for term in terms
    ]


def keyset(
    terms: tuple[OrderBy, ...], values: tuple[Value, ...], table: Table, binder: Binder, ties: int | None = None
) -> exp.Expr:
    """The rows after the row with `values` in the order of `terms`; with `ties`, also those equal to it."""
    check_cursor(terms, values, table, ties)
    if any(isinstance(value, StoreText) for value in values):
        raise InvalidCursor("The cursor is one of another store. Pass one from `pageInfo` of the same query.")
    condition: exp.Expr = exp.false() if ties is None else exp.true()
    for term, value in reversed(list(zip(terms, values, strict=True))):
        beyond, equal = _beyond(term, value, table, binder), _equal(term, value, table, binder)
        condition = equal if condition == exp.true() else equal & condition if condition != exp.false() else condition
        condition = beyond if condition == exp.false() else condition if beyond == exp.false() else beyond | condition
    return condition


def _beyond(term: OrderBy, value: Value, table: Table, binder: Binder) -> exp.Expr:
    first = nulls_first(term)
    if value is None:
        return exp.not_(_is_null(_term(term, table, binder))) if first else exp.false()
    bound = binder.bind(value, sortable(term.expression, table))
    compare = exp.LT if term.descending else exp.GT
    after = compare(this=_term(term, table, binder), expression=bound)
    if first or not is_nullable(term.expression, table):
        return after
    return after | _is_null(_term(term, table, binder))


def _equal(term: OrderBy, value: Value, table: Table, binder: Binder) -> exp.Expr:
    column = _term(term, table, binder)
    if value is None:
        return _is_null(column)
    return exp.EQ(this=column, expression=binder.bind(value, sortable(term.expression, table)))


def _term(term: OrderBy, table: Table, binder: Binder) -> exp.Expr:
    return binder.sort_key(own_expression(term), sortable(term.expression, table))


def own_expression(term: OrderBy) -> Expression:
    """The expression that the term orders by. Raises `TypeError` if it is not of the row itself, as columnar stores
    join nothing.
    """
    if isinstance(term.expression, Through | CountOf):
        raise TypeError("an order over a join cannot be asked of a columnar store: the mapping must not offer it")
    return term.expression


def _is_null(column: exp.Expr) -> exp.Expr:
    return exp.Is(this=column, expression=exp.null())
