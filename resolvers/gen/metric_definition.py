"""The definitions of semantic metrics, by kind. Whether their columns exist is checked elsewhere."""

import ast
import sys
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from loaders.errors import BadInput
from loaders.read import Value
from resolvers.gen.metric_join import MetricJoin, MetricName, in_order
from resolvers.gen.shapes import Stored, shape
from resolvers.gen.table_query import ColumnName, Measure, RowFilter

Kind = Literal["simple", "ratio", "derived", "cumulative"]
_GREATEST = sys.float_info.max
_ARITHMETIC = (
    ast.Expression,
    ast.BinOp,
    ast.UnaryOp,
    ast.Name,
    ast.Load,
    ast.Constant,
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.USub,
)


class Simple(Stored):
    """One measure over the rows of the metric's table that match `where`.

    `joins` add columns of other tables, `{join}.{column}`. `names` are alternative names of columns, for dimensions.
    """

    measure: Measure
    where: RowFilter | None = None
    joins: Annotated[list[MetricJoin], Field(max_length=20)] | None = None
    names: Annotated[dict[MetricName, ColumnName], Field(max_length=100)] | None = None

    @model_validator(mode="after")
    def _joinable(self) -> Self:
        in_order(self.joins or ())
        return self

    def column(self, name: str) -> str:
        """The column that a dimension's name stands for."""
        return (self.names or {}).get(name, name)


class Ratio(Stored):
    """One metric of the dataset divided by another: each is aggregated first, then they are divided."""

    numerator: MetricName
    denominator: MetricName


class Derived(Stored):
    """Arithmetic over metrics of the dataset: `+ - * /`, brackets, numbers and the names in `metrics`."""

    expression: Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
    metrics: Annotated[list[MetricName], Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _arithmetic(self) -> Self:
        used = _names(self.expression)
        if unknown := sorted(used - set(self.metrics)):
            raise ValueError(f"`expression` uses {unknown[0]!r}, which `metrics` does not name")
        if idle := sorted(set(self.metrics) - used):
            raise ValueError(f"`expression` does not use {idle[0]!r}, which `metrics` names")
        return self


class Cumulative(Stored):
    """A metric of the dataset accumulated over time: over a window before each bucket, or since the start
    of a grain.
    """

    metric: MetricName
    window: "Window | None" = None
    grain_to_date: Literal["WEEK", "MONTH", "QUARTER", "YEAR"] | None = None

    @model_validator(mode="after")
    def _one_span(self) -> Self:
        if self.window is not None and self.grain_to_date is not None:
            raise ValueError("give `window` or `grainToDate`, or neither for all time before")
        return self


class Window(Stored):
    """A window of that many units of time, including the bucket's own."""

    count: Annotated[int, Field(ge=1, le=10_000)]
    unit: Literal["HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"]


Definition = Simple | Ratio | Derived | Cumulative
_SHAPES: Mapping[str, type[Definition]] = {
    "simple": Simple,
    "ratio": Ratio,
    "derived": Derived,
    "cumulative": Cumulative,
}


def metric_values(values: Mapping[str, Value]) -> Mapping[str, Value]:
    """The row of a metric, with its definition validated for its kind. `BadInput` names the field."""
    type_ = _SHAPES.get(str(values["kind"]))
    if type_ is None:
        raise BadInput(f"`kind` is one of {', '.join(_SHAPES)}.", field="kind")
    try:
        definition = shape(type_)(values["definition"])
    except ValueError as error:
        raise BadInput(f"`definition` {error}.", field="definition") from None
    if values["kind"] == "cumulative" and values.get("time_column") is None:
        raise BadInput("A cumulative metric needs `timeColumn`: it is summed up through time.", field="timeColumn")
    parts = _parts(type_.model_validate(definition))
    if values["name"] in parts:
        raise BadInput("A metric cannot be made of itself.", field="definition")
    return {**values, "definition": definition}


def _parts(definition: Definition) -> set[str]:
    match definition:
        case Ratio(numerator=above, denominator=below):
            return {above, below}
        case Derived(metrics=metrics):
            return set(metrics)
        case Cumulative(metric=metric):
            return {metric}
        case _:
            return set()


def _names(expression: str) -> set[str]:
    try:
        tree = ast.parse(expression, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError("`expression` is not arithmetic") from None
    for node in ast.walk(tree):
        no_number = isinstance(node, ast.Constant) and type(node.value) not in (int, float)
        if no_number or not isinstance(node, _ARITHMETIC):
            raise ValueError("`expression` may hold `+ - * /`, brackets, numbers and names of metrics")
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and abs(node.value) > _GREATEST:
            raise ValueError("`expression` holds a number that no double holds")
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
