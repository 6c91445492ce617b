"""Builds reads of the rows of remote tables, whose columns are known only at run time, from plain names and values."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from loaders.columnar.needed import wants_cursors
from loaders.description import Column, Table
from loaders.encode.cursor import decode_cursor
from loaders.errors import BadInput, InvalidCursor, UnknownColumn
from loaders.order import cursor_form, order_of_shown
from loaders.read import Col, Computed, Field, OrderBy, Read


def column_of(table: Table, name: str) -> Column:
    """The column of that name. `UnknownColumn` lists the existing columns."""
    if not table.has_column(name):
        known = ", ".join(column.name for column in table.columns[:50])
        raise UnknownColumn(f"Table {table.name} has no column {name!r}. Its columns: {known}.")
    return table.column(name)


def fields(table: Table, names: Sequence[str] | None) -> tuple[Field, ...]:
    """The selected columns as output fields with their own names; all columns when `names` is None."""
    chosen = [column.name for column in table.columns] if names is None else list(dict.fromkeys(names))
    if not chosen:
        raise BadInput("`select` is empty. Name at least one column, or leave it out for all.")
    return tuple(Field(name, Computed(Col(column_of(table, name).name))) for name in chosen)


@dataclass(frozen=True, slots=True)
class Term:
    """A sort term, of a column or of a value of groups. Nulls as in `OrderBy`."""

    name: str
    descending: bool = False
    nulls_first: bool | None = None


def order(table: Table, terms: Sequence[Term]) -> tuple[OrderBy, ...]:
    return tuple(OrderBy(Col(column_of(table, t.name).name), t.descending, t.nulls_first) for t in terms)


def paged(read: Read, shown: tuple[str, ...], *, after: str | None) -> Read:
    """The read of a page after the cursor, with cursors for the next page if the read selects any.

    A remote table has no key, so a cursor counts ties among rows whose `shown` columns are equal (`order_of_shown`). A
    read that neither takes nor selects cursors keeps its order, which is cheaper for the engine. `InvalidCursor` for a
    cursor of another list, order or selection of columns.
    """
    if after is None and not (read.connection is not None and wants_cursors(read.connection)):
        return read
    order_by = order_of_shown(read.order, shown, read.table)
    if after is None:
        return replace(read, order=order_by, page=replace(read.page, ties=0))
    *values, ties = decode_cursor(after, cursor_form(order_by, read.table))
    if not isinstance(ties, int) or ties < 1:
        raise InvalidCursor("The cursor is malformed. Pass one exactly as `pageInfo` of the same query had it.")
    return replace(read, order=order_by, page=replace(read.page, after=tuple(values), ties=ties))
