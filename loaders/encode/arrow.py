"""A read's rows as Arrow record batches: fields become columns named by their response keys, with the store's values.

Instants are timestamps in UTC at the store's resolution, UUIDs have the extension type `arrow.uuid` (16 bytes), H3
cells are uint64, and invalid UTF-8 in text is repaired. Everything else is passed through unchanged.
"""

from collections.abc import Sequence

import pyarrow as pa

from loaders.description import ColumnType, Kind
from loaders.encode.json import ColumnOf, node_id_text
from loaders.encode.text import floats, instants, plain_text, unwrapped
from loaders.read import Computed, Field, Literal, NodeId

_TYPES = {
    Kind.BOOLEAN: pa.bool_(),
    Kind.INTEGER: pa.int32(),
    Kind.BIGINT: pa.int64(),
    Kind.FLOAT: pa.float64(),
    Kind.NUMERIC: pa.decimal128(38, 9),
    Kind.UUID: pa.uuid(),
    Kind.DATE: pa.date32(),
    Kind.TIMESTAMP: pa.timestamp("us", "UTC"),
    Kind.BYTES: pa.binary(),
    Kind.VECTOR: pa.list_(pa.float32()),
    Kind.H3: pa.uint64(),
}


def arrow_type(column_type: ColumnType) -> pa.DataType:
    """The type of a column in an answer without rows, when no store reported a narrower one."""
    if column_type.kind is Kind.ARRAY and column_type.element is not None:
        return pa.list_(arrow_type(column_type.element))
    return _TYPES.get(column_type.kind, pa.string())


def record_batch(fields: Sequence[Field], column_of: ColumnOf, rows: int) -> pa.RecordBatch:
    """One batch of `rows` rows. `Related` fields do not occur: the plan separates them before a columnar store is
    asked.
    """
    columns = [_column(field, column_of, rows) for field in fields]
    return pa.RecordBatch.from_arrays(columns, names=[field.key for field in fields])


def same_layout(stored: pa.Schema, shown: pa.Schema) -> bool:
    """Whether the stored batch's buffers can be used as they are, because only names and logical types differ."""
    return [_layout(field.type) for field in stored] == [_layout(field.type) for field in shown]


def _layout(data_type: pa.DataType) -> pa.DataType:
    if isinstance(data_type, pa.BaseExtensionType):
        return data_type.storage_type
    return pa.timestamp(data_type.unit) if pa.types.is_timestamp(data_type) else data_type


def _column(field: Field, column_of: ColumnOf, rows: int) -> pa.Array:
    match field.output:
        case Computed(expression):
            return _values(*column_of(expression))
        case Literal(value):
            return pa.array([value] * rows) if rows else pa.array([], pa.scalar(value).type)
        case NodeId() as node_id:
            return node_id_text(node_id, column_of).cast(pa.string())
        case output:
            raise TypeError(f"{type(output).__name__} cannot be read from a columnar store")


def _values(column: pa.Array, column_type: ColumnType) -> pa.Array:
    match column_type.kind:
        case Kind.TIMESTAMP:
            return instants(column)
        case Kind.FLOAT if pa.types.is_binary(column.type):
            return floats(column)
        case Kind.UUID if not isinstance(column, pa.ExtensionArray):
            return _uuids(column)
        case Kind.TEXT:
            column = unwrapped(column)
            try:
                column.validate(full=True)
            except pa.ArrowInvalid:
                return plain_text(column, column_type).cast(column.type)
            return column
        case _:
            return column


def _uuids(column: pa.Array) -> pa.Array:
    if pa.types.is_fixed_size_binary(column.type):
        return pa.ExtensionArray.from_storage(pa.uuid(), column)
    data = [None if text is None else bytes.fromhex(text.replace("-", "")) for text in column.to_pylist()]
    return pa.ExtensionArray.from_storage(pa.uuid(), pa.array(data, pa.binary(16)))
