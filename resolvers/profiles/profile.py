"""Profiles a table's columns with statements that the engine computes: only figures and a few values are
transferred.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import orjson

from loaders.columnar.answer import Answer, run
from loaders.columnar.profile import (
    FigurePositions,
    Portion,
    figures_statement,
    frequent_statement,
    histogram_statement,
    values_statement,
)
from loaders.columnar.source import Source
from loaders.columnar.statement import Statement
from loaders.description import Column, Kind
from loaders.encode.text import json_text
from loaders.encode.value import decode_value
from loaders.ledger import Ledger
from resolvers.profiles.edges import BINNED, edges
from resolvers.profiles.result import Bin, ColumnFigures, Frequent

_BATCH = 8
_SAMPLE_ROWS = 20
_SAMPLES = 5
_FREQUENT = 10
_SHOWN_CHARACTERS = 200
_EXACT_ROWS = 1_000_000
"""Distinct values of more rows than this are estimated instead of counted."""

# Values that are too large to show, or unreadable.
_NOT_SAMPLED = frozenset({Kind.BYTES, Kind.VECTOR, Kind.GEOMETRY})


@dataclass(frozen=True, slots=True)
class Contents:
    """`row_count` is the number of rows that the figures describe."""

    row_count: int
    figures: tuple[tuple[str, ColumnFigures], ...]
    samples: tuple[tuple[str, tuple[object, ...]], ...]


def reads(portion: Portion, columns: Sequence[Column]) -> list[tuple[Portion, Sequence[Column]]]:
    """What `contents` will read at most, as one statement over the columns of a portion each."""
    found: list[tuple[Portion, Sequence[Column]]] = []
    for batch in _batches(columns):
        found.append((portion, batch))
        if binned := [column for column in batch if column.type.kind in BINNED]:
            found.append((portion, binned))
        found += [(portion, [column]) for column in batch if column.type.kind is Kind.TEXT]
    if sampled := _sampled(columns):
        found.append((replace(portion, limit=_SAMPLE_ROWS), sampled))
    return found


Report: TypeAlias = Callable[[float, str], None]


async def contents(
    portion: Portion,
    columns: Sequence[Column],
    source: Source,
    *,
    rows: int | None,
    ledger: Ledger,
    report: Report,
) -> Contents:
    """Sends one statement of figures and one of histograms for every 8 columns, one for each column of text, and one
    for samples.

    `rows` is the portion's number of rows by metadata; it decides whether distinct values are counted or estimated.
    Raises a `StoreError`.
    """
    name = portion.table.name
    report(0.0, f"{name}: samples")
    samples = await _samples(portion, columns, source, ledger)
    approximate = rows is None or rows > _EXACT_ROWS
    figures: list[tuple[str, ColumnFigures]] = []
    row_count = 0
    for batch in _batches(columns):
        named = f"{batch[0].name} to {batch[-1].name}" if len(batch) > 1 else batch[0].name
        report((len(figures) + 0.5) / (len(columns) + 1), f"{name}: columns {named}")
        statement, positions = figures_statement(portion, batch, source.dialect, approximate=approximate)
        answer = await _answered(statement, source, ledger)
        (row_count,) = answer.integers(0)
        bins = await _histograms(portion, batch, positions, answer, source, ledger)
        for column, place in zip(batch, positions, strict=True):
            found = _figures(answer, place, row_count, approximate=approximate)
            if column.type.kind is Kind.TEXT and row_count:
                report((len(figures) + 0.75) / (len(columns) + 1), f"{name}: values of {column.name}")
                found = replace(found, frequent=await _frequent(portion, column, source, ledger))
            figures.append((column.name, replace(found, histogram=bins.get(column.name, ()))))
    if not columns:
        raise ValueError("a profile of no columns reads nothing")
    report(1.0, f"{name}: {row_count} rows, {len(columns)} columns")
    return Contents(row_count, tuple(figures), samples)


def _batches(columns: Sequence[Column]) -> Iterator[Sequence[Column]]:
    for start in range(0, len(columns), _BATCH):
        yield columns[start : start + _BATCH]


def _sampled(columns: Sequence[Column]) -> list[Column]:
    return [column for column in columns if column.type.kind not in _NOT_SAMPLED]


def _figures(answer: Answer, place: FigurePositions, rows: int, *, approximate: bool) -> ColumnFigures:
    (present,) = answer.integers(place.present)
    if place.distinct is None or place.min is None or place.max is None:
        return ColumnFigures(rows - present)
    finite = None if place.finite is None else answer.integers(place.finite)[0]
    return ColumnFigures(
        null_count=rows - present,
        distinct_count=answer.integers(place.distinct)[0],
        is_approximate=approximate,
        non_finite_count=None if finite is None else present - finite,
        min=shown(_values(answer, place.min)[0]),
        max=shown(_values(answer, place.max)[0]),
    )


async def _histograms(
    portion: Portion,
    columns: Sequence[Column],
    positions: Sequence[FigurePositions],
    figures: Answer,
    source: Source,
    ledger: Ledger,
) -> dict[str, tuple[Bin, ...]]:
    """The histograms of the columns that have bins and values, in one statement, or none when there are no such
    columns.
    """
    binned: list[tuple[Column, tuple[object, ...]]] = []
    ends: dict[str, tuple[object, object]] = {}
    for column, place in zip(columns, positions, strict=True):
        if column.type.kind not in BINNED or place.min is None or place.max is None:
            continue
        low, high = figures.texts(place.min)[0], figures.texts(place.max)[0]
        if low is None or high is None:
            continue
        inner = edges(decode_value(low, column.type), decode_value(high, column.type), column.type)
        binned.append((column, inner))
        ends[column.name] = (_values(figures, place.min)[0], _values(figures, place.max)[0])
    if not binned:
        return {}
    statement = histogram_statement(portion, binned, source.dialect)
    counted = await _answered(statement, source, ledger)
    counts = iter(counted.integers(position)[0] for position in range(len(statement.columns)))
    found = {}
    for column, inner in binned:
        low_end, high_end = ends[column.name]
        bounds = [low_end, *(_json(edge, column.type.kind) for edge in inner), high_end]
        found[column.name] = tuple(
            Bin(bounds[number], bounds[number + 1], next(counts)) for number in range(len(inner) + 1)
        )
    return found


async def _frequent(portion: Portion, column: Column, source: Source, ledger: Ledger) -> tuple[Frequent, ...]:
    statement = frequent_statement(portion, column, source.dialect, limit=_FREQUENT)
    answer = await _answered(statement, source, ledger)
    values, counts = _values(answer, 0), answer.integers(1)
    return tuple(Frequent(shown(value), count) for value, count in zip(values, counts, strict=True))


async def _samples(
    portion: Portion, columns: Sequence[Column], source: Source, ledger: Ledger
) -> tuple[tuple[str, tuple[object, ...]], ...]:
    sampled = _sampled(columns)
    if not sampled:
        return ()
    statement = values_statement(replace(portion, limit=_SAMPLE_ROWS), sampled, source.dialect)
    answer = await _answered(statement, source, ledger)
    samples = []
    for position, column in enumerate(sampled):
        different = {orjson.dumps(value): value for value in _values(answer, position) if value is not None}
        samples.append((column.name, tuple(shown(value) for value in different.values())[:_SAMPLES]))
    return tuple(samples)


async def _answered(statement: Statement, source: Source, ledger: Ledger) -> Answer:
    with ledger.room.lent() as lent:
        return Answer(statement, await run(source, statement, ledger, lent))


def _values(answer: Answer, position: int) -> list[object]:
    """As in JSON."""
    return [orjson.loads(text) for text in json_text(*answer.column(position)).to_pylist()]


def _json(edge: object, kind: Kind) -> object:
    match kind:
        case Kind.INTEGER | Kind.FLOAT:
            return edge
        case Kind.BIGINT:
            return str(edge)
        case Kind.NUMERIC:
            return f"{edge:f}"
        case _:
            return edge.isoformat()  # type: ignore[attr-defined]  # dates and instants are what is left of BINNED


def shown(value: object) -> object:
    """Texts of more than 200 characters are truncated and end in `…`."""
    if isinstance(value, str) and len(value) > _SHOWN_CHARACTERS:
        return value[: _SHOWN_CHARACTERS - 1] + "…"
    return value
