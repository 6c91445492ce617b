"""Generates the GraphQL types of `aggregate`: groups and their figures, group keys, and conditions on groups."""

from enum import Enum
from typing import Any, Optional, cast

import strawberry

from loaders.description import Kind
from schema.mapping import types
from schema.mapping.arguments import argument, optional, signature
from schema.mapping.figures import COUNT_DISTINCT, FAMILIES, STATISTIC, enum_name, groupable
from schema.mapping.kinds import FILTERS, filter_type, output_type
from schema.mapping.object import OBJECTS, ObjectMapping
from schema.mapping.orders import SortOrder

MAX_GROUPS = 10_000
MAX_LISTED_GROUPS = 100
"""Of each row of a list, unless `first` says how many: rows multiply groups."""
_DESCRIPTIONS = {
    "countDistinct": "Numbers of distinct values, not counting nulls.",
    "sum": "Sums; null where there is no value.",
    "avg": "Arithmetic means; null where there is no value.",
    "stddev": "Standard deviations of a sample (n - 1); null of fewer than two values.",
    "min": "Smallest values; false before true.",
    "max": "Largest values.",
}
_PERCENTILE = "Percentiles, interpolated between the two nearest values; null where there is no value."


@strawberry.enum(description="A unit that instants and dates are truncated to.")
class TimeUnit(Enum):
    SECOND = strawberry.enum_value("SECOND", description="A second.")
    MINUTE = strawberry.enum_value("MINUTE", description="A minute.")
    HOUR = strawberry.enum_value("HOUR", description="An hour. One that the clocks repeat is two.")
    DAY = strawberry.enum_value("DAY", description="From midnight to midnight: 23 or 25 hours where the clocks change.")
    WEEK = strawberry.enum_value("WEEK", description="From Monday to Sunday (ISO 8601).")
    MONTH = strawberry.enum_value("MONTH", description="A calendar month.")
    QUARTER = strawberry.enum_value("QUARTER", description="Three calendar months; the first begins in January.")
    YEAR = strawberry.enum_value("YEAR", description="A calendar year.")


types.register("TimeUnit", TimeUnit)


@strawberry.enum(description="What groups are ordered by.")
class GroupFigure(Enum):
    KEY = strawberry.enum_value("KEY", description="A field of their key.")
    COUNT = strawberry.enum_value("COUNT", description="Their number of rows; takes no field.")
    COUNT_DISTINCT = strawberry.enum_value("COUNT_DISTINCT", description="The number of a field's distinct values.")
    SUM = strawberry.enum_value("SUM", description="The sum of a field.")
    AVG = strawberry.enum_value("AVG", description="The arithmetic mean of a field.")
    STDDEV = strawberry.enum_value("STDDEV", description="The standard deviation of a field.")
    MIN = strawberry.enum_value("MIN", description="The smallest value of a field.")
    MAX = strawberry.enum_value("MAX", description="The largest value of a field.")


types.register("GroupFigure", GroupFigure)


def make_aggregate(mapping: ObjectMapping) -> None:
    """Registers `{type}Aggregate`, `{type}GroupBy`, `{type}Having` and the types they are made of."""
    name = mapping.name
    figures: dict[str, Any] = {"count": (int, "Number of rows in the group.")}
    having: dict[str, tuple[Any, str]] = {"count": (FILTERS[Kind.INTEGER], "Condition on the number of rows.")}
    if groupable(mapping):
        _make_groups(mapping)
        figures["key"] = (
            Optional[types.lazy(f"{name}GroupKey")],
            "The values that all rows of the group share; null without `groupBy`.",
        )
    for family in FAMILIES:
        columns = family.columns(mapping)
        if not columns:
            continue
        counted = family is COUNT_DISTINCT  # of no rows it is 0; every other figure is null
        figure, condition = f"{name}{family.suffix}", f"{name}{family.suffix}Having"
        shown = {field: int if counted else Optional[output_type(type_)] for field, type_ in columns.items()}
        types.make_type(
            figure,
            {field: (type_, f"The figure of `{field}`.") for field, type_ in shown.items()},
            f"{family.description}.",
        )
        asked = {
            field: (filter_type(type_), f"Condition on the figure of `{field}`.") for field, type_ in columns.items()
        }
        types.make_input(condition, asked, f"{family.description}: a filter of which all given conditions must hold.")
        for function in family.functions:
            figures[function] = (types.lazy(figure), _DESCRIPTIONS[function])
            having[function] = (types.lazy(condition), f"Condition on `{function}`.")
        if family is STATISTIC:
            figures["percentile"] = _percentile(figure)
    types.make_type(f"{name}Aggregate", figures, f"A group of `{name}` rows and its figures (counts, sums, ...).")
    own = types.lazy(f"{name}Having")
    nested: dict[str, tuple[Any, str]] = {
        "and": (types.list_of(own), "All of these conditions hold."),
        "or": (types.list_of(own), "At least one of these conditions holds."),
        "not": (own, "This condition does not hold."),
    }
    types.make_input(
        f"{name}Having", nested | having, f"Filter for groups of `{name}` rows. All given conditions must hold."
    )


def aggregate_field(target: str) -> Any:
    """The field `aggregate` of the connection of `target`."""
    arguments: dict[str, Any] = {}
    if groupable(OBJECTS[target]):
        by = types.list_of(types.lazy(f"{target}GroupBy"))
        order = types.list_of(types.lazy(f"{target}GroupOrder"))
        unless = f"Unless given, more than {MAX_GROUPS:,} are an error, below a list more than {MAX_LISTED_GROUPS}."
        first = f"The first groups in their order. {unless}"
        arguments = {
            "group_by": optional(by, "The fields to group by. Without them all rows are one group."),
            "having": optional(
                types.lazy(f"{target}Having"), "Only groups that satisfy this filter. Requires `groupBy`."
            ),
            "order_by": optional(
                order, "Sort terms, the most significant first. Ties are broken by the group key. Requires `groupBy`."
            ),
            "first": optional(int, first),
        }
    groups = types.list_of(types.lazy(f"{target}Aggregate"))
    return strawberry.field(
        resolver=signature({}, arguments, Optional[groups]),
        name="aggregate",
        description="Groups of all matching rows, regardless of the page; ordered by their keys by default.",
        metadata={"mapping": "connection"},
    )


def _make_groups(mapping: ObjectMapping) -> None:
    name, columns = mapping.name, groupable(mapping)
    key = {
        field: (
            Optional[output_type(mapping.table.column(column).type)],
            f"The `{field}` of the group, truncated if `groupBy` says so.",
        )
        for field, column in columns.items()
    }
    types.make_type(
        f"{name}GroupKey", key, f"The values that the rows of a group of `{name}` share: only fields of `groupBy`."
    )
    values = {enum_name(field, column): field for field, column in columns.items()}
    members = {
        value: strawberry.enum_value(value, description=f"The field `{field}`.") for value, field in values.items()
    }
    made = cast(type[Enum], Enum(f"{name}GroupField", members, module=types.__name__))
    types.register(made.__name__, strawberry.enum(made, description=f"A field that `{name}` rows can be grouped by."))
    field = types.lazy(f"{name}GroupField")
    zone = "IANA name of the time zone of the buckets, such as Europe/Berlin; UTC by default."
    types.make_input(
        f"{name}GroupBy",
        {
            "field": (field, "The field to group by."),
            "truncate": (TimeUnit, "Truncates instants and dates to this unit."),
            "timeZone": (str, zone),
        },
        f"A field to group `{name}` rows by.",
        required=("field",),
    )
    types.make_input(
        f"{name}GroupOrder",
        {
            "figure": (GroupFigure, "The figure to sort by."),
            "field": (field, "The field of the figure; every figure but `COUNT` needs one."),
            "direction": (SortOrder, "The direction, and the position of nulls; `ASC` by default."),
        },
        f"A sort term for groups of `{name}` rows.",
        required=("figure",),
    )


def _percentile(figure: str) -> Any:
    p = argument(float, "The percentile as a fraction from 0 to 1; 0.5 is the median.")
    return strawberry.field(
        resolver=signature({"p": p}, {}, types.lazy(figure)),
        name="percentile",
        description=_PERCENTILE,
        metadata={"mapping": "connection"},
    )
