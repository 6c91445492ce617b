"""Types for rows of remote tables. Columns are known only at run time, so rows are JSON and columns are named by
strings.
"""

from typing import Optional

import strawberry

from loaders.read import AggregateFunction, WeekStart
from resolvers.gen.over import Comparison, Fill
from schema.mapping import types
from schema.mapping.aggregate_types import TimeUnit
from schema.mapping.connection import PageInfo
from schema.mapping.enums import described_enum
from schema.mapping.orders import SortOrder
from schema.scalars import JSON

GenRowFilter = types.make_input(
    "GenRowFilter",
    {
        "and": (types.list_of(types.lazy("GenRowFilter")), "All of these conditions hold."),
        "or": (types.list_of(types.lazy("GenRowFilter")), "At least one of these conditions holds."),
        "not": (types.lazy("GenRowFilter"), "This condition does not hold."),
        "column": (str, "The column that the operators beside it compare."),
        "eq": (JSON, "Equal to; values are written as rows return them."),
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


@strawberry.input(description="A sort term for rows.")
class GenRowOrder:
    column: str = strawberry.field(description="The column to order by.")
    direction: SortOrder = strawberry.field(
        description="The direction, and the position of nulls; `ASC` by default.", default=SortOrder.ASC
    )


GenAggregateFunction = described_enum(
    AggregateFunction,
    "GenAggregateFunction",
    "How the values of a group are aggregated; nulls are ignored.",
    {
        AggregateFunction.COUNT: "The number of values; without a column, of rows.",
        AggregateFunction.COUNT_DISTINCT: "The number of distinct values.",
        AggregateFunction.SUM: "The sum; null without values.",
        AggregateFunction.AVG: "The arithmetic mean; null without values.",
        AggregateFunction.MIN: "The smallest value.",
        AggregateFunction.MAX: "The largest value.",
        AggregateFunction.STDDEV: "The standard deviation of a sample (n - 1); null for fewer than two values.",
        AggregateFunction.PERCENTILE: "The percentile `fraction`, interpolated between the two nearest values.",
    },
)


@strawberry.input(description="One aggregated value of each group.")
class GenMeasure:
    function: GenAggregateFunction = strawberry.field(description="The aggregate function.")  # type: ignore[valid-type]
    column: str | None = strawberry.field(description="The column; required except for `COUNT`.", default=None)
    fraction: float | None = strawberry.field(
        description="Which percentile, from 0 to 1: 0.5 is the median. Only for `PERCENTILE`.", default=None
    )
    as_: str | None = strawberry.field(
        name="as",
        description="Name of the value in the answer; by default derived from function and column.",
        default=None,
    )


GenFill = described_enum(
    Fill,
    "GenFill",
    "How buckets without rows are filled.",
    {
        Fill.NULL: "Nulls.",
        Fill.ZERO: "Zeros; null for measures that are not numbers.",
        Fill.PREVIOUS: "The values of the previous bucket; nulls before the first.",
    },
)
GenComparison = described_enum(
    Comparison,
    "GenComparison",
    "An earlier range of the same length.",
    {
        Comparison.PREVIOUS_PERIOD: "The same number of buckets, immediately before the range.",
        Comparison.PREVIOUS_YEAR: "The same dates a year before; for weeks, 52 weeks before.",
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


@strawberry.input(description="Buckets of time in a time zone: a key of the groups, before those of `groupBy`.")
class GenTimeBucket:
    column: str = strawberry.field(description="The column of instants or dates.")
    unit: TimeUnit = strawberry.field(description="The length of a bucket.")
    time_zone: str = strawberry.field(description="IANA time zone of the buckets.", default="UTC")
    week_start: GenWeekStart = strawberry.field(  # type: ignore[valid-type]
        description="The first day of a week.", default=WeekStart.MONDAY
    )
    as_: str | None = strawberry.field(
        name="as", description="Name of the bucket in the answer; the column's name by default.", default=None
    )
    from_: str | None = strawberry.field(
        name="from", description="Only rows from this moment on, written as rows return it.", default=None
    )
    to: str | None = strawberry.field(description="Only rows before this moment.", default=None)
    fill: GenFill | None = strawberry.field(  # type: ignore[valid-type]
        description="How buckets without rows are filled; by default they are left out.", default=None
    )
    compare: GenComparison | None = strawberry.field(  # type: ignore[valid-type]
        description="The earlier range whose group is added to each group as `compared`. Needs `from` and `to`.",
        default=None,
    )


@strawberry.type(description="A column of a remote table.")
class GenColumn:
    name: str = strawberry.field(description="Name of the column, as the engine has it.")
    kind: str = strawberry.field(description="Kind of its values, such as `integer`, `text` or `timestamp`.")
    nullable: bool = strawberry.field(description="Whether values can be null.")
    description: str | None = strawberry.field(description="The engine's comment on the column.")


@strawberry.type(description="A page of rows of a remote table.")
class GenRowConnection:
    nodes: list[JSON] = strawberry.field(description="The rows, as objects with the selected columns in order.")
    page_info: PageInfo = strawberry.field(
        description=(
            "Information about the page. Remote tables have no key: a cursor is valid for the same `orderBy` and "
            "`select`, and counts rows that are equal in all of these. Selecting a cursor sorts by all selected "
            "columns."
        )
    )
    total_count: Optional[int] = strawberry.field(description="Number of matching rows, regardless of the page.")
