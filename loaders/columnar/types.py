"""The type of an expression or a measure, whatever the engine says: the same answer from every store.

SUM of big integers does not overflow (NUMERIC, 38 digits); AVG is a FLOAT. COUNT and COUNT_DISTINCT are INTEGER in JSON
(a plain number).
"""

from loaders.description import ColumnType, Kind, Table
from loaders.encode.value import SORTABLE
from loaders.errors import BadInput, UnknownColumn
from loaders.read import AggregateFunction, Col, CosineSimilarity, Expression, JsonPath, Measure

COUNT = ColumnType(Kind.INTEGER)
_SUM = {
    Kind.INTEGER: ColumnType(Kind.BIGINT),
    Kind.BIGINT: ColumnType(Kind.NUMERIC),
    Kind.NUMERIC: ColumnType(Kind.NUMERIC),
    Kind.FLOAT: ColumnType(Kind.FLOAT),
}


def expression_type(expression: Expression, table: Table) -> ColumnType:
    """`UnknownColumn` when the table has no such column."""
    match expression:
        case Col(name):
            if not table.has_column(name):
                raise UnknownColumn(f"Table {table.name} has no column {name}. Ask for its columns first.")
            return table.column(name).type
        case JsonPath():
            return ColumnType(Kind.TEXT)
        case CosineSimilarity():
            return ColumnType(Kind.FLOAT)


def is_nullable(expression: Expression, table: Table) -> bool:
    """A float is: NaN sorts as null, as it is null in JSON."""
    if isinstance(expression, Col):
        column = table.column(expression.name)
        return column.nullable or column.type.kind is Kind.FLOAT
    return True


def sortable(expression: Expression, table: Table) -> ColumnType:
    """The expression's type; `BadInput` when values of it have no order."""
    column_type = expression_type(expression, table)
    if column_type.kind not in SORTABLE:
        raise BadInput(f"A {column_type.kind} of table {table.name} has no order. Sort or group by another column.")
    return column_type


def measure_type(measure: Measure, table: Table) -> ColumnType:
    """`BadInput` when the function does not apply to the expression's type."""
    if measure.function in (AggregateFunction.COUNT, AggregateFunction.COUNT_DISTINCT):
        return COUNT
    if measure.expression is None:
        raise BadInput(f"The aggregate {measure.function} needs a column.")
    if measure.function in (AggregateFunction.MIN, AggregateFunction.MAX):
        return sortable(measure.expression, table)
    column_type = expression_type(measure.expression, table)
    if column_type.kind not in _SUM:
        raise BadInput(f"The aggregate {measure.function} needs numbers; this is a {column_type.kind}.")
    return _SUM[column_type.kind] if measure.function is AggregateFunction.SUM else ColumnType(Kind.FLOAT)
