"""Types and order of expressions, the same for every store."""

from loaders.description import ColumnType, Kind, Table
from loaders.read import Col, CosineSimilarity, Expression, JsonPath, OrderBy

_TEXT = ColumnType(Kind.TEXT)
_FLOAT = ColumnType(Kind.FLOAT)


def expression_type(expression: Expression, table: Table) -> ColumnType:
    match expression:
        case Col(name):
            return table.column(name).type
        case JsonPath():
            return _TEXT
        case CosineSimilarity():
            return _FLOAT


def is_nullable(expression: Expression, table: Table) -> bool:
    match expression:
        case Col(name):
            return table.column(name).nullable
        case CosineSimilarity(column):
            return table.column(column).nullable
        case JsonPath():
            return True


def total_order(order: tuple[OrderBy, ...], table: Table) -> tuple[OrderBy, ...]:
    """The order made total: the key's columns appended where they do not stand yet. These are the terms of a cursor."""
    present = {term.expression for term in order}
    return order + tuple(OrderBy(Col(name)) for name in table.key if Col(name) not in present)


def nulls_first(term: OrderBy) -> bool:
    return term.descending if term.nulls_first is None else term.nulls_first
