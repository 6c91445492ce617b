"""Measures how much memory an answer takes, and moves work on large answers off the event loop."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

T = TypeVar("T")

SMALL: Final = 1 << 20
"""Bytes that are always held, and encoded in some 10 ms; to hand them to a thread costs 0.1 ms."""
_VALUE_BYTES = 8
"""The least bytes of a value in a list: Arrow stores a boolean in one bit and a null in none, JSON needs
several bytes.
"""
_TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)


def size_of(batch: pa.RecordBatch) -> int:
    """The bytes of its rows with dictionaries decoded. For a small slice, it may be the bytes of buffers shared with
    other rows.
    """
    beyond = sum(_beyond(batch.column(place)) for place, arrow in enumerate(batch.schema.types) if _grows(arrow))
    buffers = int(batch.get_total_buffer_size())
    return beyond + (buffers if buffers < SMALL else int(batch.nbytes))


def first_rows(batch: pa.RecordBatch, most: int) -> pa.RecordBatch:
    """As many rows as fit into `most` bytes."""
    if size_of(batch) <= most:
        return batch
    fit, over = 0, batch.num_rows
    while over - fit > 1:
        middle = (fit + over) // 2
        fit, over = (middle, over) if size_of(batch.slice(0, middle)) <= most else (fit, middle)
    return batch.slice(0, fit)


async def apart(size: int, work: Callable[[], T]) -> T:
    """The result of `work` on that many bytes; on many of them in a thread, so that other requests are served
    meanwhile.
    """
    return work() if size < SMALL else await asyncio.to_thread(work)


def _grows(arrow: pa.DataType) -> bool:
    return bool(pa.types.is_nested(arrow) or pa.types.is_dictionary(arrow))


def _beyond(column: pa.Array) -> int:
    """The bytes of a column beyond its buffers once it is JSON: each value repeats the names of its struct fields."""
    arrow = column.type
    if isinstance(column, pa.ExtensionArray):
        return _beyond(column.storage)
    if pa.types.is_dictionary(arrow):
        return _written_out(column)
    if pa.types.is_struct(arrow):
        names = sum(len(arrow.field(place).name) + _VALUE_BYTES for place in range(arrow.num_fields))
        return names * len(column) + sum(_beyond(below) for below in column.flatten())
    if pa.types.is_map(arrow):
        start, stop = _ends(column)
        return sum(_least(below.slice(start, stop - start)) for below in (column.keys, column.items))
    if pa.types.is_list(arrow) or pa.types.is_large_list(arrow):
        start, stop = _ends(column)
        return _least(column.values.slice(start, stop - start))
    if pa.types.is_fixed_size_list(arrow):
        return _least(column.values.slice(column.offset * arrow.list_size, len(column) * arrow.list_size))
    return 0


def _ends(column: pa.Array) -> tuple[int, int]:
    """Where the values of a list column begin and end."""
    return (column.offsets[0].as_py(), column.offsets[-1].as_py()) if len(column) else (0, 0)


def _least(values: pa.Array) -> int:
    if _grows(values.type):
        return _beyond(values) + _VALUE_BYTES * len(values)
    return max(_VALUE_BYTES * len(values) - int(values.nbytes), 0)


def _written_out(column: pa.Array) -> int:
    """The bytes of a decoded dictionary of texts: the length of each text, as often as it occurs."""
    values = column.dictionary
    if not any(is_text(values.type) for is_text in _TEXTS):
        return int(values.nbytes) // max(len(values), 1) * len(column)
    lengths = pc.take(pc.binary_length(values), column.indices)
    return int(pc.sum(lengths.cast(pa.int64())).as_py() or 0)
