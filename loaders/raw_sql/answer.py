"""The answer of a raw statement: its columns as the engine sent them, and its rows as bounded JSON or as record
batches.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import orjson
import pyarrow as pa

from loaders.columnar.batch_size import apart, first_rows, size_of
from loaders.description import ColumnType, Kind
from loaders.encode.json import object_text
from loaders.encode.text import json_text
from loaders.errors import BadInput
from loaders.raw_sql.nested import parts
from loaders.warehouses.arrow_types import presentation

MAX_BYTES: Final = 16 << 20
"""The limit of one answer's rows as JSON, in bytes. Beyond it the answer is truncated and says so."""
_ARROW_TO_JSON: Final = 2
"""How many times `MAX_BYTES` is read as Arrow: a small number takes 8 bytes there and about 3 as JSON."""
_TEXT: Final = ColumnType(Kind.TEXT)
_JSON: Final = ColumnType(Kind.JSON)


@dataclass(frozen=True, slots=True)
class RawColumn:
    name: str
    type: ColumnType


@dataclass(slots=True)
class RawRows:
    """`rows` are JSON objects. `truncated` says that the statement has more rows than these."""

    columns: tuple[RawColumn, ...] = ()
    rows: list[bytes] = field(default_factory=list)
    size: int = 0
    truncated: bool = False

    @property
    def text(self) -> bytes:
        """The rows as one JSON array."""
        return b"[" + b",".join(self.rows) + b"]"


async def collect_rows(batches: AsyncIterator[pa.RecordBatch], *, limit: int) -> RawRows:
    """Reads up to `limit` rows, and no more than fit in `MAX_BYTES`. One row more is read to find out whether there are
    others.

    Rows that cannot fit are dropped before they are converted to JSON, and large ones are converted in a thread,
    because the engine does not limit the size of a value.
    """
    found = RawRows()
    left = MAX_BYTES * _ARROW_TO_JSON
    async for batch in batches:
        if not found.columns:
            found.columns = columns_of(batch.schema)
        asked = batch.slice(0, limit + 1 - len(found.rows))
        fitting = first_rows(asked, left)
        size = size_of(fitting)
        left -= size
        for row in await apart(size, partial(_rows, fitting, found.columns)):
            if len(found.rows) == limit or found.size + len(row) > MAX_BYTES:
                found.truncated = True
                return found
            found.rows.append(row)
            found.size += len(row)
        if fitting.num_rows < asked.num_rows:
            found.truncated = True
            return found
    return found


async def limit_rows(batches: AsyncIterator[pa.RecordBatch], limit: int | None) -> AsyncGenerator[pa.RecordBatch, None]:
    """The batches as they arrive, with at most `limit` rows in total. `BadInput` when two columns have the
    same name.
    """
    rows, first = 0, True
    async for batch in batches:
        if first:
            columns_of(batch.schema)
        left = batch.num_rows if limit is None else min(batch.num_rows, limit - rows)
        if left or first:
            yield batch.slice(0, left)
        rows, first = rows + left, False
        if limit is not None and rows >= limit:
            return


def columns_of(schema: pa.Schema) -> tuple[RawColumn, ...]:
    """The names and types of the columns. Types that the API has no kind for are shown as text or JSON."""
    names = schema.names
    if twice := [name for name in names if names.count(name) > 1]:
        raise BadInput(f"Two columns of the answer are named {twice[0]!r}. Tell them apart with AS.")
    return tuple(RawColumn(each.name, _type(each.type)) for each in schema)


def _type(arrow: pa.DataType) -> ColumnType:
    shown = presentation(arrow)
    if shown is not None:
        return shown.type
    return _JSON if pa.types.is_nested(arrow) else _TEXT


def _rows(batch: pa.RecordBatch, columns: tuple[RawColumn, ...]) -> list[bytes]:
    entries: list[tuple[str, pa.Array | str]] = [
        (column.name, json_text(_plain(values), column.type))
        for column, values in zip(columns, batch.columns, strict=True)
    ]
    return [row.encode() for row in object_text(entries, batch.num_rows).to_pylist()]


def _plain(values: pa.Array) -> pa.Array:
    """Converts a column to a type that `json_text` takes: values without a kind of their own become text or
    JSON text.
    """
    arrow = values.type
    shown = presentation(arrow)
    if shown is not None and shown.how == "plain":
        return values
    if (shown is not None and shown.how == "json") or (shown is None and pa.types.is_nested(arrow)):
        found = (None if value is None else orjson.dumps(value).decode() for value in parts(values))
        return pa.array(found, pa.large_string())
    return pa.array([None if value is None else str(value) for value in parts(values)], pa.large_string())
