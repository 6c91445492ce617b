"""Rows of remote tables: their columns are known only at run time, so rows, values and columns are named by text."""

from enum import Enum
from typing import Optional

import strawberry

from loaders.read import AggregateFunction, WeekStart
from resolvers.gen.over import Comparison, Fill
from schema.mapping import types
from schema.mapping.aggregate_types import TimeUnit
from schema.mapping.connection import PageInfo
from schema.mapping.enums import described_enum
from schema.scalars import JSON

GenRowFilter = types.make_input(
    "GenRowFilter",
    {
        "and": (types.list_of(types.lazy("GenRowFilter")), "All of these conditions hold."),
        "or": (types.list_of(types.lazy("GenRowFilter")), "At least one of these conditions holds."),
        "not": (types.lazy("GenRowFilter"), "This condition does not hold."),
        "column": (str, "The column that the operators beside it compare."),
        "eq": (JSON, "Equal to; values are written as rows answer them."),
        "ne": (JSON, "Not equal to. Nulls do not match."),
        "in": (list[JSON], "Equal to one of these."),
        "notIn": (list[JSON], "Equal to none of these. Nulls do not match."),
        "lt": (JSON, "Less than."),
        "lte": (JSON, "At most."),
        "gt": (JSON, "Greater than."),
        "gte": (JSON, "At least."),
        "isNull": (bool, "True: is null. False: is not null."),
        "like": (str, "Matches an SQL LIKE pattern."),
        "ilike": (str, "As `like`, ignoring case."),
        "startsWith": (str, "Starts with this text, taken literally."),
    },
    "Filter for rows of a remote table. All given conditions must hold.",
)


@strawberry.enum(description="Smallest or largest first. Nulls count as largest.")
class GenSortDirection(Enum):
    ASC = strawberry.enum_value("ASC", description="Smallest first, nulls last.")
    DESC = strawberry.enum_value("DESC", description="Largest first, nulls first.")


@strawberry.input(description="A sort term for rows.")
class GenRowOrder:
    column: str = strawberry.field(description="The column to order by.")
    direction: GenSortDirection = strawberry.field(
        description="The direction; ascending by default.", default=GenSortDirection.ASC
    )


GenAggregateFunction = described_enum(
    AggregateFunction,
    "GenAggregateFunction",
    "How the values of a group become one; nulls are left out.",
    {
        AggregateFunction.COUNT: "How many there are; without a column, how many rows.",
        AggregateFunction.COUNT_DISTINCT: "How many different values there are.",
        AggregateFunction.SUM: "The sum; null of no values.",
        AggregateFunction.AVG: "The arithmetic mean; null of no values.",
        AggregateFunction.MIN: "The smallest value.",
        AggregateFunction.MAX: "The largest value.",
        AggregateFunction.STDDEV: "The standard deviation of a sample (n - 1); null of fewer than two values.",
        AggregateFunction.PERCENTILE: "The percentile `fraction`, interpolated between the two nearest values.",
    },
)


@strawberry.input(description="One value of each group.")
class GenMeasure:
    function: GenAggregateFunction = strawberry.field(description="How the values become one.")  # type: ignore[valid-type]
    column: str | None = strawberry.field(description="The column; only `COUNT` goes without.", default=None)
    fraction: float | None = strawberry.field(
        description="Which percentile, from 0 to 1: 0.5 is the median. Only of `PERCENTILE`.", default=None
    )
    as_: str | None = strawberry.field(
        name="as",
        description="Name of the value in the answer; made of function and column unless given.",
        default=None,
    )


GenFill = described_enum(
    Fill,
    "GenFill",
    "What stands in a bucket without rows.",
    {
        Fill.NULL: "Nulls.",
        Fill.ZERO: "Zeros; null where a measure is no number.",
        Fill.PREVIOUS: "The values of the bucket before; nulls before the first.",
    },
)
GenComparison = described_enum(
    Comparison,
    "GenComparison",
    "An earlier range of the same length.",
    {
        Comparison.PREVIOUS_PERIOD: "As many buckets as the range has, right before it.",
        Comparison.PREVIOUS_YEAR: "The same dates a year before; of weeks, 52 weeks before.",
    },
)
GenWeekStart = described_enum(
    WeekStart,
    "GenWeekStart",
    "The first day of a week.",
    {
        WeekStart.MONDAY: "Monday (ISO 8601).",
        WeekStart.SUNDAY: "Sunday.",
        WeekStart.SATURDAY: "Saturday.",
    },
)


@strawberry.input(description="Buckets of time, by a zone's clocks: a key of the groups, before those of `groupBy`.")
class GenTimeBucket:
    column: str = strawberry.field(description="The column of instants or dates.")
    unit: TimeUnit = strawberry.field(description="How long a bucket is.")
    time_zone: str = strawberry.field(description="IANA zone whose clocks count.", default="UTC")
    week_start: GenWeekStart = strawberry.field(  # type: ignore[valid-type]
        description="The first day of a week.", default=WeekStart.MONDAY
    )
    as_: str | None = strawberry.field(
        name="as", description="Name of the bucket in the answer; the column's unless given.", default=None
    )
    from_: str | None = strawberry.field(
        name="from", description="Only rows from this moment on, written as rows answer it.", default=None
    )
    to: str | None = strawberry.field(description="Only rows before this moment.", default=None)
    fill: GenFill | None = strawberry.field(  # type: ignore[valid-type]
        description="What stands in buckets without rows; such buckets are left out unless given.", default=None
    )
    compare: GenComparison | None = strawberry.field(  # type: ignore[valid-type]
        description="What each group is compared with, as `compared` in it. Needs `from` and `to`.", default=None
    )


@strawberry.type(description="A column of a remote table.")
class GenColumn:
    name: str = strawberry.field(description="Name of the column, as the engine has it.")
    kind: str = strawberry.field(description="Kind of its values, such as `integer`, `text` or `timestamp`.")
    nullable: bool = strawberry.field(description="Whether a value may be missing.")
    description: str | None = strawberry.field(description="The engine's comment on the column.")


@strawberry.type(description="A page of rows of a remote table.")
class GenRowConnection:
    nodes: list[JSON] = strawberry.field(description="The rows, as objects with the selected columns in order.")
    page_info: PageInfo = strawberry.field(
        description=(
            "Information about the page. Remote tables declare no key: a cursor is for the same `orderBy` and `select`,"
            " and rows that are equal in all of these are counted. To ask for a cursor sorts by all selected columns."
        )
    )
    total_count: Optional[int] = strawberry.field(description="Number of matching rows, regardless of the page.")
