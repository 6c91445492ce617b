"""A compiled statement for a columnar store, and the columns of its answer."""

from dataclasses import dataclass

from loaders.description import ColumnType


@dataclass(frozen=True, slots=True)
class Parameter:
    """A bound value: `value` as the client of the store wants it; a list if `many`."""

    name: str
    type: ColumnType
    value: object


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """A column of the answer, named `c0`, `c1`, ...; the store may send any Arrow type that can hold `type`."""

    name: str
    type: ColumnType


@dataclass(frozen=True, slots=True)
class Statement:
    """Values are never part of `sql`; `parameters` are in the order of their first use."""

    sql: str
    parameters: tuple[Parameter, ...]
    columns: tuple[OutputColumn, ...]

    @property
    def named(self) -> dict[str, object]:
        """For clients that bind by name (ClickHouse, BigQuery)."""
        return {parameter.name: parameter.value for parameter in self.parameters}

    @property
    def positional(self) -> list[object]:
        """For clients that bind by position (DuckDB, Flight SQL, Impala)."""
        return [parameter.value for parameter in self.parameters]
