"""A measure over the rows of a select."""

from sqlglot import exp

from loaders.columnar.binder import Binder
from loaders.description import ColumnType
from loaders.expression import expression_type, measure_type
from loaders.read import AggregateFunction, Measure

_IN_ORDER = (AggregateFunction.MIN, AggregateFunction.MAX, AggregateFunction.PERCENTILE)


def measured(measure: Measure, binder: Binder) -> tuple[exp.Expr, ColumnType]:
    """The measure, over the binder's table. Raises `BadInput` if the function does not apply to the type of the
    expression.
    """
    result = measure_type(measure, binder.table)
    if measure.expression is None:
        return exp.Count(this=exp.Star()), result
    operand = expression_type(measure.expression, binder.table)
    in_order = measure.function in _IN_ORDER
    value = binder.sort_key(measure.expression, operand) if in_order else binder.expression(measure.expression)
    return binder.dialect.measure(measure, value, operand), result
