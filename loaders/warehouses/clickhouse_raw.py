"""Columns of SQL that somebody wrote, as ClickHouse sends them, in the types it has them in.

ClickHouse's Arrow has no `DateTime`, `Enum`, IP addresses and integers beyond 64 bits: they come as numbers and bytes,
and only DESCRIBE tells. Within arrays and maps they stay so.
"""

import re
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final

import pyarrow as pa

from loaders.encode.text import instants

_WRAPPED = re.compile(r"(?:Nullable|LowCardinality)\((.*)\)", re.DOTALL)
_LABEL = re.compile(r"'((?:[^'\\]|\\.)*)' = (-?\d+)")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CONTROLS: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "0": "\0"}
_WIDE: Final = ("Int128", "Int256", "UInt128", "UInt256")


def hides_types(schema: pa.Schema) -> bool:
    """Whether a column may be of a type that Arrow does not tell."""
    return any(
        pa.types.is_uint32(each.type)
        or pa.types.is_int8(each.type)
        or pa.types.is_int16(each.type)
        or pa.types.is_fixed_size_binary(each.type)
        for each in schema
    )


def typed(batch: pa.RecordBatch, types: Mapping[str, str]) -> pa.RecordBatch:
    """`types` are ClickHouse's, by name of the column."""
    columns = [
        _typed(column, _plain(types.get(name, "")))
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)


def _typed(column: pa.Array, type_: str) -> pa.Array:
    if type_ == "DateTime" or type_.startswith("DateTime("):
        return instants(column)
    if type_.startswith("Enum"):
        labels = {int(number): _ESCAPED.sub(_unescaped, label) for label, number in _LABEL.findall(type_)}
        return _texts(column, labels.__getitem__)
    if type_ == "IPv4":
        return _texts(column, lambda value: str(IPv4Address(value)))
    if type_ == "IPv6":
        return _texts(column, lambda value: str(IPv6Address(value)))
    if type_ in _WIDE:
        return _texts(column, lambda value: str(int.from_bytes(value, "little", signed=type_[0] == "I")))
    return column


def _unescaped(found: re.Match[str]) -> str:
    return _CONTROLS.get(found[1], found[1])


def _texts(column: pa.Array, text: Callable[[Any], str]) -> pa.Array:
    return pa.array([None if value is None else text(value) for value in column.to_pylist()], pa.string())


def _plain(type_: str) -> str:
    while (wrapped := _WRAPPED.fullmatch(type_)) is not None:
        type_ = wrapped[1]
    return type_
