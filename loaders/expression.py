"""The type of an expression or a measure, the same in every store, so that their answers are.

SUM of big integers does not overflow (NUMERIC); AVG is a FLOAT. COUNT and COUNT_DISTINCT are INTEGER in JSON (a plain
number). A FLOAT's NaN is null in JSON, so it sorts, groups and is MIN and MAX as a null; it compares as IEEE 754 has it
(false, but for `<>`).
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


def column_of(expression: Expression) -> str:
    """The one column the expression reads."""
    match expression:
        case Col(name):
            return name
        case JsonPath(column) | CosineSimilarity(column):
            return column


def is_nullable(expression: Expression, table: Table) -> bool:
    """Whether it may sort as null. A float may: NaN does."""
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
