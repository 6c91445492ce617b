"""The total order of a read and the form of its cursors, the same for every store."""

import json
from dataclasses import replace

from loaders.description import ColumnType, Kind, Table
from loaders.encode.cursor import CursorForm, list_mark
from loaders.errors import BadInput, InvalidCursor
from loaders.expression import sortable
from loaders.read import (
    Bucket,
    Col,
    CosineSimilarity,
    CountOf,
    Digest,
    GroupOrder,
    Join,
    JsonPath,
    Masked,
    OrderBy,
    SortKey,
    Through,
    Value,
)

_SHORT = frozenset(
    {Kind.BOOLEAN, Kind.INTEGER, Kind.BIGINT, Kind.FLOAT, Kind.NUMERIC, Kind.UUID, Kind.DATE, Kind.TIMESTAMP, Kind.H3}
)
_SHORT_TERMS = 3
_TIES = ColumnType(Kind.BIGINT)


def total_order(order: tuple[OrderBy, ...], table: Table) -> tuple[OrderBy, ...]:
    """The order of a list with the unique columns of its table appended where missing, each expression once: the terms
    of a cursor. Without a key the order is not total: see `order_of_shown`.
    """
    terms: dict[object, OrderBy] = {}
    for term in (*order, *(OrderBy(Col(name)) for name in table.unique)):
        terms.setdefault(term.expression, term)
    return tuple(terms.values())


def order_of_shown(order: tuple[OrderBy, ...], shown: tuple[str, ...], table: Table) -> tuple[OrderBy, ...]:
    """The order of a table without a key, with the shown columns as its last terms.

    Rows that this order cannot tell apart look the same, so counting them is enough to place a cursor among them, and
    no further column has to be read. Up to some number of short values stand for themselves (engines can skip what lies
    before a cursor in sorted data); all others are combined in one digest, so that cursors stay short.
    """
    named = {term.expression.name for term in order if isinstance(term.expression, Col)}
    left = [column for column in table.columns if column.name in shown and column.name not in named]
    short = [column.name for column in left if column.type.kind in _SHORT][:_SHORT_TERMS]
    rest = tuple(column.name for column in left if column.name not in short)
    terms = [OrderBy(Col(name)) for name in short]
    return (*order, *terms, *([OrderBy(Digest(rest))] if rest else []))


def cursor_form(order: tuple[OrderBy, ...], table: Table) -> CursorForm:
    """What `decode_cursor` needs for a page in this order. Raises `BadInput` if a term has no order."""
    types = [sortable(term.expression, table) for term in total_order(order, table)]
    return CursorForm(cursor_mark(order, table), tuple(types if table.key else [*types, _TIES]))


def cursor_mark(order: tuple[OrderBy, ...], table: Table) -> str:
    """A mark of the table and of every term of the total order: its expression, direction and place of nulls.

    It does not depend on filters, which may change between pages (as a guard on a joined table may), nor on the vector
    of a similarity search, which is a value of the request.

    The spelling that is hashed here must not change: cursors that clients hold outlive a release of the gateway.
    """
    terms = [
        [*_spelled(term.expression), "desc" if term.descending else "asc", "first" if nulls_first(term) else "last"]
        for term in total_order(order, table)
    ]
    return list_mark(json.dumps([table.store, table.schema, table.name, terms]))


def _spelled(key: SortKey) -> list[str]:
    match key:
        case Col(name):
            return ["column", name]
        case JsonPath(column, path, number):
            return ["number" if number else "path", column, *path]
        case CosineSimilarity(column):
            return ["similarity", column]
        case Digest(columns):
            return ["digest", *columns]
        case Bucket(column, unit, time_zone, week_start):
            return ["bucket", column, unit.value, time_zone, week_start.value]
        case Masked(masked):  # a cursor is made under the mask and comes back before it is put on
            return _spelled(masked)
        case Through(join, by):
            return ["through", *_spelled_join(join), *_spelled(by)]
        case CountOf(join):
            return ["count", *_spelled_join(join)]


def _spelled_join(join: Join) -> list[str]:
    return [join.target.schema or "", join.target.name, *join.local, "=", *join.remote]


def nulls_first(term: OrderBy | GroupOrder) -> bool:
    """Nulls sort as the largest value unless the term says otherwise."""
    return term.descending if term.nulls_first is None else term.nulls_first


def flipped(terms: tuple[OrderBy, ...]) -> tuple[OrderBy, ...]:
    """The reverse order."""
    return tuple(replace(term, descending=not term.descending, nulls_first=not nulls_first(term)) for term in terms)


def check_cursor(terms: tuple[OrderBy, ...], values: tuple[Value, ...], table: Table, ties: int | None = None) -> None:
    """Raises `BadInput` for a table without a key, unless `ties` are counted, and `InvalidCursor` for a cursor of
    another order.
    """
    if not table.key and ties is None:
        raise BadInput(f"Table {table.name} has no key, so it has no cursors. Read it with `first` and an order only.")
    if len(values) != len(terms):
        raise InvalidCursor("The cursor does not belong to this order. Pass one from `pageInfo` of the same query.")
