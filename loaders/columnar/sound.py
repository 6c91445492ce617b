"""Checks a record batch that came over the network before any of its values is read.

Arrow's readers take lengths and offsets as they were sent. By an offset that leads out of its buffer, a hostile or
broken server has the gateway answer with its own memory, or end.
"""

from typing import Final

import pyarrow as pa

from loaders.columnar.batch_size import size_of

MOST_ROWS: Final = 16 << 20
"""Of one batch. A column of nulls has a length and no bytes, so bounds of bytes do not bound it."""
MOST_BYTES: Final = 512 << 20
"""Of one batch written out: dictionaries, views and runs tell the same bytes any number of times. The gateway has to
decode them, and to look at all of their text, also where it only passes the batch on.
"""


class UnsoundBatch(pa.ArrowInvalid):  # type: ignore[misc]  # pyarrow carries no types
    """What was sent is no valid record batch."""


def sound(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch, if all its values are within it; else `UnsoundBatch`. Text need not be UTF-8, which some stores do not
    check (loaders/encode/text.py).
    """
    if batch.num_rows > MOST_ROWS:
        raise UnsoundBatch(f"a record batch has {batch.num_rows} rows")
    try:
        for column in batch.columns:
            _require_sound(column)
    except (pa.ArrowInvalid, pa.ArrowIndexError) as error:
        raise UnsoundBatch("a record batch has values outside of its buffers") from error
    if (size := size_of(batch)) > MOST_BYTES:
        raise UnsoundBatch(f"a record batch takes {size} bytes written out")
    return batch


def read_sound(message: pa.Buffer, schema: pa.Schema) -> pa.RecordBatch:
    """The batch in a message of Arrow IPC, if it is one and all its values are within it; else `UnsoundBatch`."""
    try:
        batch = pa.ipc.read_record_batch(message, schema)
    except (pa.ArrowException, OSError) as error:  # the latter of most of what is broken
        raise UnsoundBatch("a message holds no record batch of its schema") from error
    return sound(batch)


def _require_sound(column: pa.Array) -> None:
    column.validate()
    try:
        as_bytes = _as_bytes(column)
        if _views_text(as_bytes.type):
            raise UnsoundBatch("a record batch has views of text where they cannot be measured first")
        as_bytes.validate(full=True)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        if _views_text(column.type):
            raise
        # Arrow cannot show some types within others as bytes, such as nulls beside text: their text has to be UTF-8.
        column.validate(full=True)


def _views_text(type_: pa.DataType) -> bool:
    """Whether there is text in views, of which Arrow looks at the same bytes as often as they are shown."""
    if isinstance(type_, pa.BaseExtensionType):
        return _views_text(type_.storage_type)
    if pa.types.is_dictionary(type_):
        return _views_text(type_.value_type)
    within = (type_.field(place).type for place in range(type_.num_fields))
    return bool(pa.types.is_string_view(type_)) or any(map(_views_text, within))


def _as_bytes(column: pa.Array) -> pa.Array:
    """The column with bytes in place of text."""
    if isinstance(column, pa.ExtensionArray):
        return _as_bytes(column.storage)
    if pa.types.is_dictionary(column.type):
        return pa.DictionaryArray.from_arrays(column.indices, _as_bytes(column.dictionary), safe=False)
    type_ = _of_bytes(column.type)
    return column if type_ == column.type else column.view(type_)


def _of_bytes(type_: pa.DataType) -> pa.DataType:
    """The type with bytes in place of text, also within lists, structs and maps."""
    if pa.types.is_string(type_):
        return pa.binary()
    if pa.types.is_large_string(type_):
        return pa.large_binary()
    if pa.types.is_string_view(type_):
        return pa.binary_view()
    if pa.types.is_struct(type_):
        return pa.struct([_field_of_bytes(field) for field in type_])
    if pa.types.is_map(type_):
        return pa.map_(_field_of_bytes(type_.key_field), _field_of_bytes(type_.item_field))
    if pa.types.is_list(type_):
        return pa.list_(_field_of_bytes(type_.value_field))
    if pa.types.is_large_list(type_):
        return pa.large_list(_field_of_bytes(type_.value_field))
    if pa.types.is_fixed_size_list(type_):
        return pa.list_(_field_of_bytes(type_.value_field), type_.list_size)
    return type_


def _field_of_bytes(field: pa.Field) -> pa.Field:
    return field.with_type(_of_bytes(field.type))
