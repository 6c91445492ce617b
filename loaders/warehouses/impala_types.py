"""Maps Impala's type names to column types, and the columns of HiveServer2 answers to Arrow."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from loaders.description import ColumnType, Kind

_KINDS = {
    "boolean": Kind.BOOLEAN,
    "tinyint": Kind.INTEGER,
    "smallint": Kind.INTEGER,
    "int": Kind.INTEGER,
    "bigint": Kind.BIGINT,
    "float": Kind.FLOAT,
    "double": Kind.FLOAT,
    "decimal": Kind.NUMERIC,
    "string": Kind.TEXT,
    "varchar": Kind.TEXT,
    "char": Kind.TEXT,
    "date": Kind.DATE,
    "timestamp": Kind.TIMESTAMP,
    "binary": Kind.BYTES,
    "array": Kind.JSON,
    "map": Kind.JSON,
    "struct": Kind.JSON,
}
_NATIVE = {
    "BOOLEAN": pa.bool_(),
    "TINYINT": pa.int32(),
    "SMALLINT": pa.int32(),
    "INT": pa.int32(),
    "BIGINT": pa.int64(),
    "FLOAT": pa.float64(),
    "DOUBLE": pa.float64(),
    "BINARY": pa.binary(),
}
_MICROSECONDS = len("2024-01-01 00:00:00.000000")


class Column(Protocol):
    """A column as impyla returns it. `nulls` holds one bit for each value."""

    values: Sequence[object]
    nulls: Sequence[int]


def column_type(text: str) -> ColumnType | None:
    """None for a type that is not known."""
    kind = _KINDS.get(text.partition("(")[0].partition("<")[0].strip().lower())
    return ColumnType(kind) if kind else None


def record_batch(columns: Sequence[Column], description: Sequence[tuple[object, ...]]) -> pa.RecordBatch:
    """Converts fetched columns. `description` is that of the DB API. Timestamps are in UTC and truncated to
    microseconds.
    """
    arrays = [_array(column, entry) for column, entry in zip(columns, description, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, [str(entry[0]) for entry in description])


@dataclass(slots=True)
class _NoValues:
    values: Sequence[object] = ()
    nulls: Sequence[int] = ()


def no_rows(description: Sequence[tuple[object, ...]]) -> pa.Schema:
    """The schema of an answer's batches."""
    return record_batch([_NoValues()] * len(description), description).schema


def _array(column: Column, entry: tuple[object, ...]) -> pa.Array:
    nulls = column.nulls
    values: Sequence[object] = column.values
    if any(nulls):
        values = [None if nulls[place] else value for place, value in enumerate(values)]
    name = str(entry[1])
    if name in _NATIVE:
        return pa.array(values, _NATIVE[name])
    text = pa.array(values, pa.binary()).cast(pa.string())
    match name:
        case "DECIMAL":
            return text.cast(pa.decimal128(entry[4], entry[5]))
        case "DATE":
            return text.cast(pa.date32())
        case "TIMESTAMP":
            cut = pc.utf8_slice_codeunits(text, 0, _MICROSECONDS)
            return cut.cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
        case _:
            return text
