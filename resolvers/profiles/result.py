"""The result of profiling a table: typed, and as the JSON that is stored."""

from dataclasses import dataclass
from enum import StrEnum

from loaders.description import Column
from loaders.jobs.job import JsonObject


class Basis(StrEnum):
    """Which rows the figures of a profile describe."""

    METADATA = "metadata"  # none: counts and sizes by the engine's metadata
    TABLE = "table"  # all
    PARTITION = "partition"  # all that match the condition
    SAMPLE = "sample"  # some, of those that match the condition if there is one


@dataclass(frozen=True, slots=True)
class Bin:
    """`count` values from `low` (inclusive) to `high` (exclusive, except in the last bin). Values as in JSON."""

    low: object
    high: object
    count: int


@dataclass(frozen=True, slots=True)
class Frequent:
    """A value as in JSON, and the number of rows that have it."""

    value: object
    count: int


@dataclass(frozen=True, slots=True)
class ColumnFigures:
    """The figures of one column. None where they do not apply to its type, such as an order or finite numbers. Values
    as in JSON.
    """

    null_count: int
    distinct_count: int | None = None
    is_approximate: bool = False
    """Whether the number of distinct values is the engine's estimate."""
    non_finite_count: int | None = None
    """Floats that are infinite or NaN: they are in no extreme and no bin."""
    min: object = None
    max: object = None
    histogram: tuple[Bin, ...] = ()
    frequent: tuple[Frequent, ...] = ()

    def to_json(self) -> JsonObject:
        return {
            "nullCount": self.null_count,
            "distinctCount": self.distinct_count,
            "distinctIsApproximate": self.is_approximate,
            "nonFiniteCount": self.non_finite_count,
            "min": self.min,
            "max": self.max,
            "histogram": [{"low": each.low, "high": each.high, "count": each.count} for each in self.histogram],
            "topValues": [{"value": each.value, "count": each.count} for each in self.frequent],
        }


@dataclass(frozen=True, slots=True)
class Profile:
    """`figures` and `samples` are by column and leave out the excluded columns, which were not read.

    `profiled_rows` is the number of rows that the figures describe, `estimated_bytes` the estimate of what reading them
    took.
    """

    columns: tuple[Column, ...]
    excluded: tuple[str, ...]
    basis: Basis
    row_count: int | None
    byte_count: int | None
    profiled_rows: int = 0
    estimated_bytes: int | None = None
    figures: tuple[tuple[str, ColumnFigures], ...] = ()
    samples: tuple[tuple[str, tuple[object, ...]], ...] = ()

    def columns_json(self) -> list[object]:
        return [
            {
                "name": column.name,
                "type": column.type.kind.value,
                "nullable": column.nullable,
                "excluded": column.name in self.excluded,
            }
            for column in self.columns
        ]
