"""The total order of a read and the types of its cursors, the same for every store."""

from dataclasses import replace

from loaders.description import ColumnType, Table
from loaders.errors import BadInput, InvalidCursor
from loaders.expression import sortable
from loaders.read import Col, GroupOrder, OrderBy, Value


def total_order(order: tuple[OrderBy, ...], table: Table) -> tuple[OrderBy, ...]:
    """The order with the table's key appended where missing, each expression once: the terms of a cursor.

    Not total without a key.
    """
    terms: dict[object, OrderBy] = {}
    for term in (*order, *(OrderBy(Col(name)) for name in table.key)):
        terms.setdefault(term.expression, term)
    return tuple(terms.values())


def cursor_types(order: tuple[OrderBy, ...], table: Table) -> tuple[ColumnType, ...]:
    """What `decode_cursor` needs for a page in this order. `BadInput` when a term has no order."""
    return tuple(sortable(term.expression, table) for term in total_order(order, table))


def nulls_first(term: OrderBy | GroupOrder) -> bool:
    """Nulls sort as largest unless the term says otherwise."""
    return term.descending if term.nulls_first is None else term.nulls_first


def flipped(terms: tuple[OrderBy, ...]) -> tuple[OrderBy, ...]:
    """The same order from its end."""
    return tuple(replace(term, descending=not term.descending, nulls_first=not nulls_first(term)) for term in terms)


def check_cursor(terms: tuple[OrderBy, ...], values: tuple[Value, ...], table: Table) -> None:
    """`BadInput` for a table without cursors, `InvalidCursor` for one of another order."""
    if not table.key:
        raise BadInput(f"Table {table.name} has no key, so it has no cursors. Read it with `first` and an order only.")
    if len(values) != len(terms):
        raise InvalidCursor("The cursor does not belong to this order. Pass one from `pageInfo` of the same query.")
