"""What a raw statement answered: columns as the engine sent them, rows as JSON within bounds, or as record batches."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import orjson
import pyarrow as pa

from loaders.columnar.held import apart, first_rows, size_of
from loaders.description import ColumnType, Kind
from loaders.encode.json import object_text
from loaders.encode.text import json_text
from loaders.errors import BadInput
from loaders.raw_sql.nested import parts
from loaders.warehouses.arrow_types import presentation

MAX_BYTES: Final = 16 << 20
"""Of the rows of one answer as JSON; beyond it the answer is cut, and says so."""
_ARROW_TO_JSON: Final = 2
"""So many times the bytes are looked at as Arrow: a small number takes 8 bytes there, and some 3 as JSON."""
_TEXT: Final = ColumnType(Kind.TEXT)
_JSON: Final = ColumnType(Kind.JSON)


@dataclass(frozen=True, slots=True)
class RawColumn:
    name: str
    type: ColumnType


@dataclass(slots=True)
class RawRows:
    """`rows` are JSON objects. `truncated` when the statement has more rows than these."""

    columns: tuple[RawColumn, ...] = ()
    rows: list[bytes] = field(default_factory=list)
    size: int = 0
    truncated: bool = False

    @property
    def text(self) -> bytes:
        """The rows as one JSON list."""
        return b"[" + b",".join(self.rows) + b"]"


async def collected(batches: AsyncIterator[pa.RecordBatch], *, limit: int, max_bytes: int = MAX_BYTES) -> RawRows:
    """The first `limit` rows, and as many of them as fit. One more is looked for, to tell whether there are others.

    What cannot fit is cut off before it becomes JSON, and what is large becomes it in a thread: one value may be as
    large as the engine likes.
    """
    found = RawRows()
    left = max_bytes * _ARROW_TO_JSON
    async for batch in batches:
        if not found.columns:
            found.columns = columns_of(batch.schema)
        asked = batch.slice(0, limit + 1 - len(found.rows))
        fitting = first_rows(asked, left)
        size = size_of(fitting)
        left -= size
        for row in await apart(size, partial(_rows, fitting, found.columns)):
            if len(found.rows) == limit or found.size + len(row) > max_bytes:
                found.truncated = True
                return found
            found.rows.append(row)
            found.size += len(row)
        if fitting.num_rows < asked.num_rows:
            found.truncated = True
            return found
    return found


async def bounded(batches: AsyncIterator[pa.RecordBatch], limit: int | None) -> AsyncGenerator[pa.RecordBatch, None]:
    """The batches as they come, of at most `limit` rows together. `BadInput` where two columns have one name."""
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
    """Names and types; what the API has no kind for is shown as text or JSON."""
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
    """As `json_text` takes them: what has no kind of its own as text or as JSON text."""
    arrow = values.type
    shown = presentation(arrow)
    if shown is not None and shown.how == "plain":
        return values
    if (shown is not None and shown.how == "json") or (shown is None and pa.types.is_nested(arrow)):
        found = (None if value is None else orjson.dumps(value).decode() for value in parts(values))
        return pa.array(found, pa.large_string())
    return pa.array([None if value is None else str(value) for value in parts(values)], pa.large_string())
