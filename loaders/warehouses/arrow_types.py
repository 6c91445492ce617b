"""Maps Arrow types, as a Parquet footer declares them, to column types, and says how DuckDB has to present each.

Left out are columns that DuckDB 2.0 cannot read, which are half floats and decimals of more than 38 digits, and columns
without a name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from loaders.description import ColumnType, Kind


@dataclass(frozen=True, slots=True)
class Presentation:
    """`how` a column is presented: as it is, cast to text (times, intervals), or as JSON text (structs, maps, lists of
    them).
    """

    type: ColumnType
    how: Literal["plain", "text", "json"] = "plain"


_SCALARS: tuple[tuple[tuple[pa.DataType, ...], Kind], ...] = (
    ((pa.bool_(),), Kind.BOOLEAN),
    ((pa.int8(), pa.int16(), pa.int32(), pa.uint8(), pa.uint16()), Kind.INTEGER),
    ((pa.uint32(), pa.int64(), pa.uint64()), Kind.BIGINT),
    ((pa.float32(), pa.float64()), Kind.FLOAT),
    ((pa.string(), pa.large_string(), pa.string_view(), pa.null()), Kind.TEXT),
    ((pa.binary(), pa.large_binary(), pa.binary_view()), Kind.BYTES),
    ((pa.date32(), pa.date64()), Kind.DATE),
    ((pa.uuid(),), Kind.UUID),
)
_KIND_OF: dict[pa.DataType, Kind] = {arrow: kind for arrows, kind in _SCALARS for arrow in arrows}
_WIDEST_DECIMAL = 38


def presented(schema: pa.Schema) -> Iterator[tuple[pa.Field, Presentation]]:
    """The columns that can be read, in order. A column needs a type DuckDB can read, and a name, because SQL has no
    other way to refer to it.
    """
    for field in schema:
        shown = presentation(field.type)
        if shown is not None and field.name:
            yield field, shown


def presentation(arrow: pa.DataType) -> Presentation | None:
    """How a column of this type is presented; None when DuckDB cannot read it.

    A timestamp without a zone is taken as UTC. Dictionary and run-end encodings are presented as the type they encode.
    """
    if arrow in _KIND_OF:
        return Presentation(ColumnType(_KIND_OF[arrow], single=arrow == pa.float32()))
    if pa.types.is_dictionary(arrow) or pa.types.is_run_end_encoded(arrow):
        return presentation(arrow.value_type)
    if pa.types.is_timestamp(arrow):
        return Presentation(ColumnType(Kind.TIMESTAMP))
    if pa.types.is_decimal(arrow):
        return Presentation(ColumnType(Kind.NUMERIC)) if arrow.precision <= _WIDEST_DECIMAL else None
    if pa.types.is_fixed_size_binary(arrow):
        return Presentation(ColumnType(Kind.BYTES))
    if pa.types.is_time(arrow) or pa.types.is_duration(arrow) or pa.types.is_interval(arrow):
        return Presentation(ColumnType(Kind.TEXT), "text")
    if pa.types.is_list(arrow) or pa.types.is_large_list(arrow) or pa.types.is_fixed_size_list(arrow):
        return _list(arrow.value_type)
    if pa.types.is_struct(arrow):
        readable = all(presentation(arrow.field(index).type) is not None for index in range(arrow.num_fields))
        return Presentation(ColumnType(Kind.JSON), "json") if readable else None
    if pa.types.is_map(arrow):
        readable = presentation(arrow.key_type) is not None and presentation(arrow.item_type) is not None
        return Presentation(ColumnType(Kind.JSON), "json") if readable else None
    if isinstance(arrow, pa.JsonType):
        return Presentation(ColumnType(Kind.JSON))
    return None


def _list(element: pa.DataType) -> Presentation | None:
    inner = presentation(element)
    if inner is None:
        return None
    if inner.how != "plain":
        return Presentation(ColumnType(Kind.JSON), "json")
    return Presentation(ColumnType(Kind.ARRAY, element=inner.type))
