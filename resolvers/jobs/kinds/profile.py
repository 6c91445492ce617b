"""What a table's columns hold, by aggregates the store computes itself: only figures and a few rows travel."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from loaders.columnar.connection import read_connection
from loaders.columnar.source import Source
from loaders.description import Column, Kind, Table
from loaders.encode.value import SORTABLE
from loaders.ledger import Ledger
from loaders.read import Aggregate, AggregateFunction, Col, Computed, Connection, Field, Measure, Nodes, Page, Read
from resolvers.jobs.kinds.kind import Report

_BATCH = 8
_SAMPLE_ROWS = 20
_SAMPLES = 5
_SAMPLE_CHARACTERS = 200

# Too large to show, and without a meaning to the eye.
_NOT_SAMPLED = frozenset({Kind.BYTES, Kind.VECTOR, Kind.GEOMETRY})

_FIGURES = {
    "nonNull": AggregateFunction.COUNT,
    "distinctCount": AggregateFunction.COUNT_DISTINCT,
    "min": AggregateFunction.MIN,
    "max": AggregateFunction.MAX,
}


@dataclass(frozen=True, slots=True)
class ColumnFigures:
    """Of one column. Counts of distinct values and extremes are None for types without an order. Values as in JSON."""

    null_count: int
    distinct_count: int | None = None
    min: object = None
    max: object = None


@dataclass(frozen=True, slots=True)
class Profile:
    """`samples`: up to 5 different values of each column from its first rows; texts over 200 characters are cut, and
    end in `…`."""

    columns: tuple[Column, ...]
    row_count: int
    figures: dict[str, ColumnFigures]
    samples: dict[str, list[object]]


async def profile(table: Table, source: Source, *, ledger: Ledger, report: Report) -> Profile:
    """One statement for each 8 columns, and one for the samples. Exact: every row is read. Raises a `StoreError`."""
    batches = [table.columns[start : start + _BATCH] for start in range(0, len(table.columns), _BATCH)]
    report(0.0, f"{table.name}: samples")
    samples = await _samples(table, source, ledger)
    figures: dict[str, ColumnFigures] = {}
    row_count = 0
    for done, batch in enumerate(batches):
        named = f"{batch[0].name} to {batch[-1].name}" if len(batch) > 1 else batch[0].name
        report((done + 0.5) / (len(batches) + 0.5), f"{table.name}: columns {named}")
        row_count, found = await _figures(table, batch, source, ledger)
        figures |= found
    report(1.0, f"{table.name}: {row_count} rows, {len(table.columns)} columns")
    return Profile(table.columns, row_count, figures, samples)


def figures_read(table: Table, columns: Sequence[Column]) -> Read:
    """One row, `figures[0]`: `rows`, and for column i of the batch `{i}.nonNull`, `{i}.distinctCount`, ..."""
    measures = [("rows", Measure(AggregateFunction.COUNT))]
    for number, column in enumerate(columns):
        wanted = _FIGURES if column.type.kind in SORTABLE else {"nonNull": AggregateFunction.COUNT}
        measures += [(f"{number}.{name}", Measure(function, Col(column.name))) for name, function in wanted.items()]
    return Read(table, connection=Connection((("figures", Aggregate((), tuple(measures))),)))


def samples_read(table: Table) -> Read:
    fields = [
        Field(str(number), Computed(Col(column.name)))
        for number, column in enumerate(table.columns)
        if column.type.kind not in _NOT_SAMPLED
    ]
    return Read(table, connection=Connection((("nodes", Nodes(tuple(fields))),)), page=Page(limit=_SAMPLE_ROWS))


async def _figures(
    table: Table, columns: Sequence[Column], source: Source, ledger: Ledger
) -> tuple[int, dict[str, ColumnFigures]]:
    answer = orjson.loads(await read_connection(figures_read(table, columns), source, ledger))
    row: dict[str, Any] = answer["figures"][0]
    rows = int(row["rows"])
    figures = {
        column.name: ColumnFigures(
            rows - int(row[f"{number}.nonNull"]),
            *(row.get(f"{number}.{name}") for name in ("distinctCount", "min", "max")),
        )
        for number, column in enumerate(columns)
    }
    return rows, figures


async def _samples(table: Table, source: Source, ledger: Ledger) -> dict[str, list[object]]:
    read = samples_read(table)
    if not any(column.type.kind not in _NOT_SAMPLED for column in table.columns):
        return {}
    rows: list[dict[str, Any]] = orjson.loads(await read_connection(read, source, ledger))["nodes"]
    samples: dict[str, list[object]] = {}
    for number, column in enumerate(table.columns):
        if column.type.kind not in _NOT_SAMPLED:
            values = {orjson.dumps(row[str(number)]): row[str(number)] for row in rows}
            samples[column.name] = [shown(value) for value in values.values() if value is not None][:_SAMPLES]
    return samples


def shown(value: object) -> object:
    if isinstance(value, str) and len(value) > _SAMPLE_CHARACTERS:
        return value[: _SAMPLE_CHARACTERS - 1] + "…"
    return value
