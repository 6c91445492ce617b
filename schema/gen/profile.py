"""Profiles of remote tables: figures of each column, all versions, and what changed between them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import strawberry

from loaders.tables.axion_gen import profiles
from resolvers.context import Context
from resolvers.permissions.fields import ByRows, FieldGuard
from resolvers.permissions.guards import Visible
from resolvers.profiles.result import Basis
from resolvers.profiles.visible_columns import columns_shown, described, figures_shown, named
from schema.mapping.declare import column, resolved, table_type, to_many, to_one
from schema.mapping.enums import described_enum
from schema.mapping.splice import Row
from schema.scalars import JSON, BigInt, bigint

GenProfileBasis = described_enum(
    Basis,
    "GenProfileBasis",
    "The rows that the statistics of a profile were computed from.",
    {
        Basis.METADATA: "None: counts and sizes come from the engine's metadata.",
        Basis.TABLE: "All rows.",
        Basis.PARTITION: "All rows that match the condition.",
        Basis.SAMPLE: "Some of the rows, of those that match the condition if there is one.",
    },
)
_TABLE_VIEWERS = Visible("dataset", "can_view_table", "dataset_id")
_OF_PROFILE: FieldGuard = ByRows("profiles, whose rows are guarded by `can_view_table` on their dataset")
_PLACE = ("dataset_id", "table_name")

Info = strawberry.Info[Context, None]


@strawberry.type(description="A bin of a histogram; all bins of a column are equally wide.")
class GenHistogramBin:
    low: JSON = strawberry.field(description="Its lower bound (inclusive), written as rows return values.")
    high: JSON = strawberry.field(
        description="Its upper bound: exclusive, except in the last bin, where it is the greatest value."
    )
    count: BigInt = strawberry.field(description="The number of rows whose value lies in it.")


@strawberry.type(description="A value that many rows have.")
class GenFrequentValue:
    value: JSON = strawberry.field(
        description="The value, written as rows return it; long texts are truncated with `…`."
    )
    count: BigInt = strawberry.field(description="The number of rows that have it.")


@strawberry.type(
    description="The figures of a column, over the rows that were profiled. Null where they are not known."
)
class GenColumnProfile:
    name: str = strawberry.field(description="Name of the column, as the engine has it.")
    kind: str = strawberry.field(description="Kind of its values, such as `integer`, `text` or `timestamp`.")
    nullable: bool = strawberry.field(description="Whether values can be null, as the engine declares it.")
    is_excluded: bool = strawberry.field(
        description="Whether it has no figures, because it was not read or the table's schedule excludes it now."
    )
    null_count: BigInt | None = strawberry.field(description="Rows without a value.")
    null_share: float | None = strawberry.field(
        description="Share of rows without a value, from 0 to 1; null without rows."
    )
    distinct_count: BigInt | None = strawberry.field(
        description="Number of distinct values; null for kinds without an order."
    )
    distinct_is_approximate: bool | None = strawberry.field(
        description="Whether `distinctCount` is the engine's estimate, as for more than a million rows."
    )
    non_finite_count: BigInt | None = strawberry.field(
        description="Floats that are infinite or NaN, which are in no range and no bin. Null for other kinds."
    )
    min: JSON | None = strawberry.field(description="The least value, written as rows return it.")
    max: JSON | None = strawberry.field(description="The greatest value, written as rows return it.")
    histogram: list[GenHistogramBin] = strawberry.field(
        description="At most 10 bins from `min` to `max`, for numbers, dates and instants; empty for other kinds."
    )
    top_values: list[GenFrequentValue] = strawberry.field(
        description="The 10 most frequent texts, most frequent first; empty for other kinds."
    )


@strawberry.type(description="A column whose type changed.")
class GenRetypedColumn:
    column: str = strawberry.field(description="Name of the column.")
    was: str = strawberry.field(description="Its kind in the version before, such as `text` or `text, nullable`.")
    now: str = strawberry.field(description="Its kind in this version.")


@strawberry.type(description="How the columns of a table changed since the previous version.")
class GenProfileDrift:
    added: list[str] = strawberry.field(description="Columns that are new.")
    removed: list[str] = strawberry.field(description="Columns that are gone.")
    retyped: list[GenRetypedColumn] = strawberry.field(description="Columns of another type or nullability.")


def _count(value: Any) -> BigInt | None:
    return None if value is None else bigint(value)


async def _shown(row: Row, info: Info) -> Callable[[str], bool]:
    return await columns_shown(info.context, UUID(row.required("dataset_id")), row.required("table_name"))


async def _figures(row: Row, info: Info) -> Callable[[str], bool]:
    return await figures_shown(info.context, UUID(row.required("dataset_id")), row.required("table_name"))


async def _columns(row: strawberry.Parent[Row], info: Info) -> JSON:
    return JSON(described(row.required("columns"), await _shown(row, info)))


async def _excluded(row: strawberry.Parent[Row], info: Info) -> list[str]:
    shown = await _shown(row, info)
    return [name for name in row.required("excluded_columns") if shown(name)]


async def _statistics(row: strawberry.Parent[Row], info: Info) -> JSON:
    return JSON(named(row.required("statistics"), await _figures(row, info)))


async def _samples(row: strawberry.Parent[Row], info: Info) -> JSON:
    return JSON(named(row.required("sample_values"), await _figures(row, info)))


async def _column_profiles(row: strawberry.Parent[Row], info: Info) -> list[GenColumnProfile]:
    told = await _figures(row, info)
    statistics = named(row.required("statistics"), told)
    rows = int(row.required("profiled_rows"))
    columns = described(row.required("columns"), await _shown(row, info))
    found = ((each, str(each["name"])) for each in columns)
    return [_column(each, statistics.get(name, {}), rows, excluded=not told(name)) for each, name in found]


def _column(column: Any, found: Any, rows: int, *, excluded: bool) -> GenColumnProfile:
    nulls = found.get("nullCount")
    return GenColumnProfile(
        name=column["name"],
        kind=column["type"],
        nullable=column["nullable"],
        is_excluded=excluded or column.get("excluded", False),
        null_count=_count(nulls),
        null_share=nulls / rows if nulls is not None and rows else None,
        distinct_count=_count(found.get("distinctCount")),
        distinct_is_approximate=found.get("distinctIsApproximate"),
        non_finite_count=_count(found.get("nonFiniteCount")),
        min=found.get("min"),
        max=found.get("max"),
        histogram=[
            GenHistogramBin(low=each["low"], high=each["high"], count=bigint(each["count"]))
            for each in found.get("histogram", ())
        ],
        top_values=[
            GenFrequentValue(value=each["value"], count=bigint(each["count"])) for each in found.get("topValues", ())
        ],
    )


async def _drift(row: strawberry.Parent[Row], info: Info) -> GenProfileDrift | None:
    found = row.required("drift")
    if not found:
        return None
    shown = await _shown(row, info)
    return GenProfileDrift(
        added=[name for name in found["added"] if shown(name)],
        removed=[name for name in found["removed"] if shown(name)],
        retyped=[GenRetypedColumn(**each) for each in found["retyped"] if shown(each["column"])],
    )


def _curated_field(resolver: Callable[..., Any], *requires: str, description: str) -> Any:
    """A field that leaves out columns that curation hides now. No condition can filter by them either."""
    return resolved(resolver, requires=(*requires, *_PLACE), guard=_OF_PROFILE, description=description)


def _columns_field() -> Any:
    return _curated_field(_columns, "columns", description="Columns of the table, in order: name, type, nullability.")


def _excluded_field() -> Any:
    return _curated_field(_excluded, "excluded_columns", description="Columns that were not read.")


def _column_profiles_field() -> Any:
    return _curated_field(
        _column_profiles,
        *("columns", "statistics", "profiled_rows"),
        description="The figures of each column, in the table's order.",
    )


def _drift_field() -> Any:
    return _curated_field(
        _drift,
        "drift",
        description="Columns added, removed and retyped since the previous version; null for the first one.",
    )


@table_type(profiles.TableProfile, store="axion_gen", guard=_TABLE_VIEWERS)
class GenTableProfile:
    """What the last `genTableProfileRefresh` found in a remote table: counts, ranges, samples.

    Visible to those who may see the rows of the dataset's tables. Columns that curation hides now are left out, and so
    are the figures of columns that the table's schedule excludes now.
    """

    table_name = column()
    version = column()
    columns = _columns_field()
    row_count = column()
    byte_count = column()
    basis = column("The rows its statistics were computed from.", enum=GenProfileBasis)
    profiled_rows = column()
    estimated_bytes = column()
    excluded_columns = _excluded_field()
    statistics = _curated_field(
        _statistics,
        "statistics",
        description="Statistics by column name, such as distinct values, minimum and maximum.",
    )
    sample_values = _curated_field(_samples, "sample_values", description="A few values by column name.")
    refreshed_at = column()
    column_profiles = _column_profiles_field()
    drift = _drift_field()
    history = to_many("GenTableProfileVersion", remote="profile_id", description="All refreshes, including the latest.")
    dataset = to_one("GenDataset", local="dataset_id", description="The dataset of the table.")


@table_type(profiles.TableProfileVersion, store="axion_gen", guard=_TABLE_VIEWERS)
class GenTableProfileVersion:
    """What one refresh found, without sample values. Visible to those who may see the rows of the dataset's tables.

    Columns that curation hides now are left out, and so are the figures of columns that the table's schedule excludes.
    """

    table_name = column()
    version = column()
    row_count = column()
    byte_count = column()
    basis = column("The rows its statistics were computed from.", enum=GenProfileBasis)
    profiled_rows = column()
    estimated_bytes = column()
    excluded_columns = _excluded_field()
    refreshed_at = column()
    column_profiles = _column_profiles_field()
    drift = _drift_field()
    profile = to_one("GenTableProfile", local="profile_id", description="The latest profile of the table.")
    dataset = to_one("GenDataset", local="dataset_id", description="The dataset of the table.")
    job = to_one(
        "Job", local="job_id", description="The job that computed it, while that exists and if you may see it."
    )
