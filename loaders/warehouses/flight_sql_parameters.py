"""Bound values as the one row of an Arrow batch, which is how Flight SQL takes parameters."""

from collections.abc import Sequence
from uuid import UUID

import pyarrow as pa

from loaders.columnar.statement import Parameter
from loaders.description import ColumnType, Kind

_INT64 = range(-(2**63), 2**63)
_WIDE = pa.decimal128(38, 0)
_TYPES: dict[Kind, pa.DataType] = {
    Kind.BOOLEAN: pa.bool_(),
    Kind.FLOAT: pa.float64(),
    Kind.TEXT: pa.string(),
    Kind.UUID: pa.string(),
    Kind.DATE: pa.date32(),
    Kind.BYTES: pa.binary(),
}


def parameter_row(parameters: Sequence[Parameter]) -> pa.RecordBatch | None:
    """None without parameters. A value that is a list is a list column; integers beyond 64 bits are decimals."""
    if not parameters:
        return None
    return pa.record_batch([_column(parameter) for parameter in parameters], [entry.name for entry in parameters])


def _column(parameter: Parameter) -> pa.Array:
    value = parameter.value
    if isinstance(value, list):
        element = parameter.type.element or parameter.type
        values = [_plain(entry) for entry in value]
        return pa.array([values], pa.list_(_type(values, element)))
    return pa.array([_plain(value)], _type([_plain(value)], parameter.type))


def _type(values: Sequence[object], column_type: ColumnType) -> pa.DataType:
    if any(isinstance(value, str) for value in values):
        return pa.string()
    integers = [value for value in values if isinstance(value, int) and not isinstance(value, bool)]
    if integers and len(integers) == len(values):
        return pa.int64() if all(value in _INT64 for value in integers) else _WIDE
    if column_type.kind in _TYPES:
        return _TYPES[column_type.kind]
    return pa.array(values).type if values else pa.int64()


def _plain(value: object) -> object:
    return str(value) if isinstance(value, UUID) else value
