"""Which figures the groups of a table-backed type have, and for which columns."""

from dataclasses import dataclass

from strawberry.utils.str_converters import to_camel_case

from loaders.description import ColumnType, Kind
from loaders.encode.value import SORTABLE
from loaders.expression import measure_type
from loaders.read import AggregateFunction, Col, Measure
from schema.mapping.enums import value_name
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
    """Figures that share the type `{type}{suffix}`: they exist for the same columns, with the same scalars.

    `of_enums`: also for columns of enums, whose values have no rank.
    """

    suffix: str
    kinds: frozenset[Kind]
    functions: tuple[str, ...]
    description: str
    of_enums: bool = False

    def columns(self, mapping: ObjectMapping) -> dict[str, ColumnType]:
        """The figure's type for each field that has it."""
        function = FUNCTIONS[self.functions[0]]
        return {
            name: measure_type(Measure(function, Col(column)), mapping.table)
            for name, column in columns_of(mapping).items()
            if self._has(mapping.table.column(column).type)
        }

    def _has(self, type_: ColumnType) -> bool:
        return type_.kind in self.kinds and (self.of_enums or type_.enumeration is None)


FAMILIES = (
    Family(
        "CountDistinct",
        SORTABLE,
        ("countDistinct",),
        "The number of distinct values of each column, not counting nulls",
        of_enums=True,
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
    return column.upper() if field == to_camel_case(column) else value_name(field)
