"""The total order of a read, and the keyset predicate of a page in it."""

from dataclasses import replace

from sqlglot import exp

from loaders.columnar.dialect import Binder
from loaders.columnar.types import is_nullable, sortable
from loaders.description import ColumnType, Table
from loaders.errors import BadInput
from loaders.read import Col, OrderBy, Read, Value


def total_order(read: Read) -> tuple[OrderBy, ...]:
    """`read.order` with the table's key appended where missing: the terms of a cursor. Not total without a key."""
    terms: list[OrderBy] = []
    for term in (*read.order, *(OrderBy(Col(name)) for name in read.table.key)):
        if all(term.expression != earlier.expression for earlier in terms):
            terms.append(term)
    return tuple(terms)


def cursor_types(read: Read) -> tuple[ColumnType, ...]:
    """What `decode_cursor` needs for a page of this read."""
    return tuple(sortable(term.expression, read.table) for term in total_order(read))


def nulls_first(term: OrderBy) -> bool:
    return term.descending if term.nulls_first is None else term.nulls_first


def flipped(terms: tuple[OrderBy, ...]) -> tuple[OrderBy, ...]:
    return tuple(replace(term, descending=not term.descending, nulls_first=not nulls_first(term)) for term in terms)


def order_clause(terms: tuple[OrderBy, ...], table: Table, binder: Binder) -> list[exp.Expr]:
    return [
        exp.Ordered(
            this=_term(term, table, binder),
            desc=term.descending,
            nulls_first=nulls_first(term) and is_nullable(term.expression, table),
        )
        for term in terms
    ]


def keyset(terms: tuple[OrderBy, ...], values: tuple[Value, ...], table: Table, binder: Binder) -> exp.Expr:
    """The rows strictly after the row with `values` in the order of `terms`."""
    if not table.key:
        raise BadInput(f"Table {table.name} has no key, so it has no cursors. Read it with `first` and an order only.")
    if len(values) != len(terms):
        raise BadInput("The cursor does not belong to this order. Pass one from `pageInfo` of the same query.")
    condition: exp.Expr = exp.false()
    for term, value in reversed(list(zip(terms, values, strict=True))):
        beyond, equal = _beyond(term, value, table, binder), _equal(term, value, table, binder)
        condition = equal & condition if condition != exp.false() else exp.false()
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
    return binder.sort_key(term.expression, sortable(term.expression, table))


def _is_null(column: exp.Expr) -> exp.Expr:
    return exp.Is(this=column, expression=exp.null())
