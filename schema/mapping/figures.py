"""Which figures the groups of a table-backed type have, and for which columns."""

from dataclasses import dataclass

from loaders.description import ColumnType, Kind
from loaders.encode.value import SORTABLE
from loaders.expression import measure_type
from loaders.read import AggregateFunction, Col, Measure
from schema.mapping.object import ColumnField, ObjectMapping

_NUMBERS = frozenset({Kind.INTEGER, Kind.BIGINT, Kind.FLOAT, Kind.NUMERIC})
_RANKED = SORTABLE - {Kind.UUID, Kind.H3}  # whose order means nothing, and is another one in each store

FUNCTIONS: dict[str, AggregateFunction] = {
    "countDistinct": AggregateFunction.COUNT_DISTINCT,
    "sum": AggregateFunction.SUM,
    "avg": AggregateFunction.AVG,
    "stddev": AggregateFunction.STDDEV,
    "min": AggregateFunction.MIN,
    "max": AggregateFunction.MAX,
}
"""Figures by their GraphQL names, but for `count` and `percentile`, which have a shape of their own."""


@dataclass(frozen=True, slots=True)
class Family:
    """Figures that share the type `{type}{suffix}`: they exist for the same columns, with the same scalars."""

    suffix: str
    kinds: frozenset[Kind]
    functions: tuple[str, ...]
    description: str

    def columns(self, mapping: ObjectMapping) -> dict[str, ColumnType]:
        """The figure's type for each field that has it."""
        function = FUNCTIONS[self.functions[0]]
        return {
            name: measure_type(Measure(function, Col(column)), mapping.table)
            for name, column in columns_of(mapping).items()
            if mapping.table.column(column).type.kind in self.kinds
        }


FAMILIES = (
    Family(
        "CountDistinct",
        SORTABLE,
        ("countDistinct",),
        "The number of distinct values of each column, not counting nulls",
    ),
    Family("Sum", _NUMBERS, ("sum",), "The sum of each column; null where there is no value"),
    Family("Statistic", _NUMBERS, ("avg", "stddev"), "A statistic of each column; null where it is not defined"),
    Family("Extreme", _RANKED, ("min", "max"), "The smallest or largest value of each column; null if there is none"),
)
COUNT_DISTINCT, _, STATISTIC, _ = FAMILIES


def columns_of(mapping: ObjectMapping) -> dict[str, str]:
    """The exposed columns, keyed by GraphQL name."""
    return {name: field.column for name, field in mapping.fields.items() if isinstance(field, ColumnField)}


def groupable(mapping: ObjectMapping) -> dict[str, str]:
    """The columns that can be grouped by."""
    return {n: c for n, c in columns_of(mapping).items() if mapping.table.column(c).type.kind in SORTABLE}


def enum_name(field: str, column: str) -> str:
    """The value of `{type}GroupField` for a field."""
    return "ROW_ID" if field == "rowId" else column.upper()
