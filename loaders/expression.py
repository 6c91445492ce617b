"""The type of an expression or a measure, the same in every store, so that their answers are.

SUM of big integers does not overflow (NUMERIC); AVG is a FLOAT. COUNT and COUNT_DISTINCT are INTEGER in JSON (a plain
number). A FLOAT's NaN is null in JSON, so it sorts, groups and is MIN and MAX as a null; it compares as IEEE 754 has it
(false, but for `<>`).
"""

from loaders.description import Column, ColumnType, Kind, Table
from loaders.encode.value import SORTABLE
from loaders.errors import BadInput, UnknownColumn
from loaders.read import (
    AggregateFunction,
    Bucket,
    Col,
    CosineSimilarity,
    CountOf,
    Digest,
    Having,
    JsonPath,
    Masked,
    Measure,
    SortKey,
    Through,
    Unit,
    figure,
)

COUNT = ColumnType(Kind.INTEGER)
CLOCK_UNITS = frozenset({Unit.SECOND, Unit.MINUTE, Unit.HOUR})
EVENING_H = 4
"""Clocks go back over a midnight by three hours at most, so that many hours before it they have not changed yet."""
_SUM = {
    Kind.INTEGER: ColumnType(Kind.BIGINT),
    Kind.BIGINT: ColumnType(Kind.NUMERIC),
    Kind.NUMERIC: ColumnType(Kind.NUMERIC),
    Kind.FLOAT: ColumnType(Kind.FLOAT),
}


def expression_type(expression: SortKey, table: Table) -> ColumnType:
    """`UnknownColumn` when the table has no such column."""
    match expression:
        case Col(name):
            if not table.has_column(name):
                raise UnknownColumn(f"Table {table.name} has no column {name}. Ask for its columns first.")
            return table.column(name).type
        case JsonPath(number=number):
            return ColumnType(Kind.NUMERIC if number else Kind.TEXT)
        case CosineSimilarity():
            return ColumnType(Kind.FLOAT)
        case Digest():
            return ColumnType(Kind.TEXT)
        case Bucket(name, unit):
            return _bucket_type(expression_type(Col(name), table), unit)
        case Through(join, by):
            return expression_type(by, join.target)
        case CountOf():
            return ColumnType(Kind.BIGINT)
        case Masked(masked):
            return expression_type(masked, table)


def _bucket_type(column_type: ColumnType, unit: Unit) -> ColumnType:
    if column_type.kind is Kind.TIMESTAMP or (column_type.kind is Kind.DATE and unit not in CLOCK_UNITS):
        return column_type
    raise BadInput(f"A {column_type.kind} cannot be truncated to the {unit}.")


def columns_of(expression: SortKey) -> tuple[str, ...]:
    """The table's own columns that the expression reads."""
    match expression:
        case Col(name):
            return (name,)
        case JsonPath(column) | CosineSimilarity(column) | Bucket(column):
            return (column,)
        case Digest(columns):
            return columns
        case Masked(masked, holder):
            return (*columns_of(masked), holder)
        case Through(join) | CountOf(join):
            return join.local


def is_nullable(expression: SortKey, table: Table) -> bool:
    """Whether it may sort as null. A float may: NaN does."""
    if isinstance(expression, Col):
        column = table.column(expression.name)
        return column.nullable or column.type.kind is Kind.FLOAT
    return not isinstance(expression, CountOf | Digest)


def sortable(expression: SortKey, table: Table) -> ColumnType:
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
    if measure.function is AggregateFunction.PERCENTILE and (
        measure.fraction is None or not 0 <= measure.fraction <= 1
    ):
        raise BadInput("A percentile needs a fraction from 0 to 1, such as 0.95.")
    return _SUM[column_type.kind] if measure.function is AggregateFunction.SUM else ColumnType(Kind.FLOAT)


def having_table(having: Having, table: Table) -> Table:
    """The table that `having.where` is about: a row per group, a column per measure."""
    types = [measure_type(measure, table) for measure in having.measures]
    return Table(table.store, None, "groups", tuple(Column(figure(n), type_) for n, type_ in enumerate(types)))
