"""Columns of SQL that somebody wrote, as ClickHouse sends them, in the types it has them in.

ClickHouse's Arrow has no `DateTime`, `Enum`, `BFloat16`, IP addresses and integers beyond 64 bits: they come as numbers
and bytes, and only DESCRIBE tells. So they do within arrays, tuples and maps, at any depth.
"""

import re
from collections.abc import Callable, Mapping
from ipaddress import IPv6Address
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from loaders.encode.text import floats, instants
from loaders.warehouses.clickhouse_types import Argument, TypeName

_WRAPPERS: Final = frozenset({"Nullable", "LowCardinality", "SimpleAggregateFunction"})
_LABEL = re.compile(r"'((?:[^'\\]|\\.)*)' = (-?\d+)")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CONTROLS: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "0": "\0"}
_WIDE: Final = frozenset({"Int128", "Int256", "UInt128", "UInt256"})
_BYTE: Final = 0xFF


def hides_types(schema: pa.Schema) -> bool:
    """Whether a column may be of a type that Arrow does not tell, or have such values within."""
    return any(_hides(arrow) for arrow in schema.types)


def typed(batch: pa.RecordBatch, types: Mapping[str, TypeName]) -> pa.RecordBatch:
    """`types` are ClickHouse's, by name of the column. The batch is one as it comes: it is no slice of another."""
    columns = [
        _typed(column, types.get(name, "")) for name, column in zip(batch.schema.names, batch.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)


def _hides(arrow: pa.DataType) -> bool:
    if pa.types.is_nested(arrow):
        return any(_hides(arrow.field(place).type) for place in range(arrow.num_fields))
    return bool(
        pa.types.is_uint32(arrow)
        or pa.types.is_int8(arrow)
        or pa.types.is_int16(arrow)
        or pa.types.is_fixed_size_binary(arrow)
        or pa.types.is_binary(arrow)
    )


def _typed(column: pa.Array, type_: Argument) -> pa.Array:
    """What the type says nothing of stays as it is."""
    if not _hides(column.type) or isinstance(type_, str):
        return column
    while type_.name in _WRAPPERS:
        inner = type_.arguments[-1]
        assert isinstance(inner, TypeName)
        type_ = inner
    match type_.name:
        case "DateTime" | "DateTime32":
            return instants(column)
        case "BFloat16":
            return floats(column)
        case "Enum8" | "Enum16":
            return _labels(column, type_.arguments)
        case "IPv4":
            return _addresses(column)
        case "IPv6":
            return _texts(column, lambda value: str(IPv6Address(value)))
        case name if name in _WIDE:
            return _texts(column, lambda value: str(int.from_bytes(value, "little", signed=name[0] == "I")))
        case "Array":
            return _list(column, type_.arguments[0])
        case "Nested":
            return _list(column, TypeName("Tuple", type_.arguments))
        case "Tuple":
            return _struct(column, type_.arguments)
        case "Map":
            keys, items = (_typed(*each) for each in zip((column.keys, column.items), type_.arguments, strict=True))
            return pa.MapArray.from_arrays(column.offsets, keys, items, mask=column.is_null())
        case _:
            return column


def _list(column: pa.ListArray, element: Argument) -> pa.Array:
    return pa.ListArray.from_arrays(column.offsets, _typed(column.values, element), mask=column.is_null())


def _struct(column: pa.StructArray, elements: tuple[Argument, ...]) -> pa.Array:
    columns = [_typed(column.field(place), element) for place, element in enumerate(elements)]
    fields = [pa.field(name, each.type) for name, each in zip(column.type.names, columns, strict=True)]
    return pa.StructArray.from_arrays(columns, fields=fields, mask=column.is_null())


def _labels(column: pa.Array, declared: tuple[Argument, ...]) -> pa.Array:
    found = [label for each in declared if isinstance(each, str) for label in _LABEL.findall(each)]
    numbers = pa.array([int(number) for _, number in found], column.type)
    labels = pa.array([_ESCAPED.sub(_unescaped, label) for label, _ in found], pa.string())
    return labels.take(pc.index_in(column, numbers))


def _unescaped(found: re.Match[str]) -> str:
    return _CONTROLS.get(found[1], found[1])


def _addresses(column: pa.Array) -> pa.Array:
    parts = [pc.bit_wise_and(pc.shift_right(column, pa.scalar(by, pa.uint32())), _BYTE) for by in (24, 16, 8, 0)]
    return pc.binary_join_element_wise(*(part.cast(pa.string()) for part in parts), ".")


def _texts(column: pa.Array, text: Callable[[Any], str]) -> pa.Array:
    return pa.array([None if value is None else text(value) for value in column.to_pylist()], pa.string())
