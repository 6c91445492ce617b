"""Measures how much memory an answer takes, and moves work on large answers off the event loop."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

T = TypeVar("T")

SMALL: Final = 1 << 20
"""Bytes that are always held, and encoded in some 10 ms; to hand them to a thread costs 0.1 ms."""
_VALUE_BYTES = 8
"""The least bytes of a value: Arrow stores a boolean in one bit and a null in none, JSON needs several bytes."""
_TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
_VIEWS = (pa.types.is_string_view, pa.types.is_binary_view)
_VIEW_BYTES = 16


def size_of(batch: pa.RecordBatch) -> int:
    """The bytes of its rows with dictionaries decoded and views written out. For a small slice, it may be the bytes of
    buffers shared with other rows.
    """
    beyond = sum(_beyond(batch.column(place)) for place, arrow in enumerate(batch.schema.types) if _grows(arrow))
    buffers = int(batch.get_total_buffer_size())
    least = _VALUE_BYTES * int(batch.num_rows) * int(batch.num_columns)
    return beyond + max(buffers if buffers < SMALL else int(batch.nbytes), least)


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
    if isinstance(arrow, pa.BaseExtensionType):
        return _grows(arrow.storage_type)
    return bool(pa.types.is_nested(arrow) or pa.types.is_dictionary(arrow) or _is_one_of(arrow, _VIEWS))


def _is_one_of(arrow: pa.DataType, kinds: Iterable[Callable[[pa.DataType], bool]]) -> bool:
    return any(is_kind(arrow) for is_kind in kinds)


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
    if pa.types.is_list_view(arrow) or pa.types.is_large_list_view(arrow):  # which may all show the same values
        return _largest(column.values) * int(pc.sum(pc.list_value_length(column)).as_py() or 0)
    if pa.types.is_run_end_encoded(arrow):
        return _largest(column.values) * len(column)
    if _is_one_of(arrow, _VIEWS):
        return _sum(_view_lengths(column))
    return 0


def _ends(column: pa.Array) -> tuple[int, int]:
    """Where the values of a list column begin and end."""
    return (column.offsets[0].as_py(), column.offsets[-1].as_py()) if len(column) else (0, 0)


def _least(values: pa.Array) -> int:
    if _grows(values.type):
        return _beyond(values) + _VALUE_BYTES * len(values)
    return max(_VALUE_BYTES * len(values) - int(values.nbytes), 0)


def _written_out(column: pa.Array) -> int:
    """The bytes of a decoded dictionary: the length of each text, as often as it occurs."""
    values = column.dictionary
    if not _is_one_of(values.type, _TEXTS):
        return _largest(values) * len(column)
    return _sum(pc.take(pc.binary_length(values), column.indices))


def _largest(values: pa.Array) -> int:
    """The bytes of the largest value, or more."""
    if _is_one_of(values.type, _TEXTS):
        return int(pc.max(pc.binary_length(values)).as_py() or 0)
    if _is_one_of(values.type, _VIEWS):
        return int(pc.max(_view_lengths(values)).as_py() or 0)
    if _grows(values.type):
        return int(values.nbytes) + _beyond(values)
    return max(int(values.nbytes) // max(len(values), 1), _VALUE_BYTES)


def _view_lengths(column: pa.Array) -> pa.Array:
    """Of texts in views, each of 16 bytes whose first four are the length (Arrow's columnar format)."""
    views = column.buffers()[1].slice(column.offset * _VIEW_BYTES, len(column) * _VIEW_BYTES)
    words = pa.Array.from_buffers(pa.int32(), len(views) // 4, [None, views])
    lengths = pc.list_element(pa.FixedSizeListArray.from_arrays(words, _VIEW_BYTES // 4), 0)
    return pc.if_else(pc.is_valid(column), lengths, 0)


def _sum(lengths: pa.Array) -> int:
    return int(pc.sum(lengths.cast(pa.int64())).as_py() or 0)
