"""Converts Arrow columns to text: plain text (`plain_text`, for cursors and ids) and JSON text (`json_text`).

Whole columns are converted by Arrow's kernels; Python handles single values only where no kernel exists. Results are
`large_string` arrays, so that no batch overflows 32-bit offsets. The formats are those of the API: big integers,
decimals and UUIDs are strings, instants RFC 3339 in UTC as Postgres' `to_json` writes them, H3 cells 15-digit tokens,
bytes base64, non-finite floats null, and invalid UTF-8 becomes U+FFFD.
"""

import re
from array import array
from base64 import b64encode
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from struct import unpack
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from loaders.description import ColumnType, Enumeration, Kind
from loaders.encode.geometry import geojson_text
from loaders.encode.joining import TEXT, joined, joined_lists
from loaders.errors import BadInput
from loaders.unnamed import UNNAMED

_NEEDS_ESCAPE = re.compile(rb'["\\\x00-\x1f]')
_PIECE = 1 << 20
_BARE = frozenset({Kind.BOOLEAN, Kind.INTEGER, Kind.FLOAT})
_FLOAT = ColumnType(Kind.FLOAT)
_A_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
_LAST_DAY = 11_248_737
"""The last day of the year 32767, in days since 1970."""


def json_text(column: pa.Array, column_type: ColumnType) -> pa.Array:
    """One JSON value per row. Null rows become the text `null`, so the result has no nulls."""
    column = unwrapped(column)
    match column_type.kind:
        case Kind.TEXT if column_type.enumeration is not None:
            text = _names(plain_text(column, column_type), column_type.enumeration)
        case Kind.TEXT:
            text = _quoted_text(plain_text(column, column_type))
        case Kind.JSON:
            text = _json_of_json(column)
        case Kind.ARRAY:
            text = _json_of_list(column, column_type.element or ColumnType(Kind.TEXT))
        case Kind.VECTOR:
            text = _json_of_list(column, _FLOAT)
        case Kind.GEOMETRY:
            text = geojson_text(column, column_type.geometry, numbers=lambda numbers: json_text(numbers, _FLOAT))
        case kind if kind in _BARE:
            text = plain_text(column, column_type)
        case _:
            text = joined(['"', plain_text(column, column_type), '"'])
    return pc.fill_null(text, "null")


def plain_text(column: pa.Array, column_type: ColumnType) -> pa.Array:
    """The text of each scalar, unquoted; null stays null."""
    column = unwrapped(column)
    match column_type.kind:
        case Kind.BOOLEAN:
            return column.cast(pa.bool_()).cast(TEXT)
        case Kind.FLOAT:
            numbers = floats(column)
            return pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, numbers.type)).cast(TEXT)
        case Kind.NUMERIC:
            return _text_of_decimals(column)
        case Kind.UUID:
            return _text_of_uuids(column)
        case Kind.DATE:
            days = column.cast(pa.date32())
            _require_years(days.cast(pa.int32()), 1)
            return days.cast(TEXT)
        case Kind.TIMESTAMP:
            return _text_of_timestamps(column)
        case Kind.H3:
            return _text_of_h3(column)
        case Kind.BYTES:
            return _mapped(column, lambda data: b64encode(data).decode("ascii"))
        case _:
            return _valid_text(column)


def unwrapped(column: pa.Array) -> pa.Array:
    """The plain array of an extension type (`arrow.uuid`, `arrow.json`), a dictionary or runs."""
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pa.types.is_run_end_encoded(column.type):
        column = pc.run_end_decode(column)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column


def floats(column: pa.Array) -> pa.Array:
    """A column of floats. ClickHouse sends a `BFloat16` as two bytes: the upper half of a `Float32`, little-endian."""
    if pa.types.is_binary(column.type):
        halves = (None if half is None else unpack("<f", bytes(2) + half)[0] for half in column.to_pylist())
        return pa.array(halves, pa.float32())
    return column if pa.types.is_floating(column.type) else column.cast(pa.float64())


def instants(column: pa.Array) -> pa.Array:
    """A timestamp column in UTC. ClickHouse sends a `DateTime` as uint32 seconds since 1970; no zone means UTC."""
    if pa.types.is_integer(column.type):
        return column.cast(pa.int64()).cast(pa.timestamp("s", "UTC"))
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("ms"))
    if column.type.tz == "UTC":
        return column
    return column.cast(pa.timestamp(column.type.unit, "UTC"))


def _mapped(column: pa.Array, function: Callable[[Any], str]) -> pa.Array:
    return pa.array([None if value is None else function(value) for value in column.to_pylist()], TEXT)


def _valid_text(column: pa.Array) -> pa.Array:
    if not pa.types.is_binary(column.type) and not pa.types.is_large_binary(column.type):
        text = column.cast(TEXT, safe=False)
        try:
            text.validate(full=True)
        except pa.ArrowInvalid:
            column = text.cast(pa.large_binary())
        else:
            return text
    return _mapped(column, lambda data: data.decode("utf-8", "replace"))


def _quoted_text(text: pa.Array) -> pa.Array:
    data = text.buffers()[2]
    if data is not None and _needs_escape(memoryview(data)):
        return _mapped(text, lambda value: orjson.dumps(value).decode("utf-8"))
    return joined(['"', text, '"'])


def _names(words: pa.Array, enumeration: Enumeration) -> pa.Array:
    """The name of each word in quotes, `UNNAMED` for a word without one; null stays null."""
    known = pa.array([word for word, _ in enumeration.names], TEXT)
    names = pa.array([*(f'"{name}"' for _, name in enumeration.names), UNNAMED], TEXT)
    places = pc.fill_null(pc.index_in(words, value_set=known), len(known))
    return pc.if_else(pc.is_valid(words), names.take(places), pa.scalar(None, TEXT))


def _needs_escape(data: memoryview) -> bool:
    """Searches piece by piece, because the search of one holds the GIL."""
    pieces = (data[start : start + _PIECE] for start in range(0, len(data), _PIECE))
    return any(_NEEDS_ESCAPE.search(piece) is not None for piece in pieces)


def _text_of_decimals(column: pa.Array) -> pa.Array:
    if pa.types.is_fixed_size_binary(column.type):  # ClickHouse's 128- and 256-bit integers, little-endian
        return _mapped(column, lambda data: str(int.from_bytes(data, "little", signed=True)))
    if pa.types.is_floating(column.type):
        return _mapped(column, lambda number: format(Decimal(repr(number)), "f"))
    text = column.cast(TEXT)
    if pa.types.is_decimal(column.type) and pc.any(pc.match_substring(text, "E")).as_py():
        return _mapped(column, lambda number: format(number, "f"))
    return text


def _text_of_uuids(column: pa.Array) -> pa.Array:
    if not pa.types.is_fixed_size_binary(column.type):
        return column.cast(TEXT)
    if column.null_count:
        text = _text_of_uuids(pc.fill_null(column, pa.scalar(bytes(16), column.type)))
        return pc.if_else(pc.is_valid(column), text, pa.scalar(None, TEXT))
    digits = _hex_digits(column.buffers()[1], column.offset * 16, len(column), 16)
    groups = [pc.binary_slice(digits, start, stop) for start, stop in pairwise((0, 8, 12, 16, 20, 32))]
    return pc.binary_join_element_wise(*groups, pa.scalar(b"-", pa.large_binary())).cast(TEXT)


def _text_of_h3(column: pa.Array) -> pa.Array:
    """15 digits, because the highest bit of a cell is reserved and its mode bits fit the rest (H3 index bit layout)."""
    cells = column.cast(pa.uint64())
    if pc.any(pc.greater_equal(cells, pa.scalar(2**60, pa.uint64()))).as_py():
        return _mapped(cells, "{:015x}".format)
    big_endian = array("Q", pc.fill_null(cells, 0).to_pylist())
    big_endian.byteswap()
    text = pc.binary_slice(_hex_digits(pa.py_buffer(big_endian), 0, len(cells), 8), 1, 16).cast(TEXT)
    return text if not cells.null_count else pc.if_else(pc.is_valid(cells), text, pa.scalar(None, TEXT))


def _hex_digits(data: pa.Buffer | None, start: int, rows: int, width: int) -> pa.Array:
    """The hexadecimal digits of `rows` values of `width` bytes each."""
    digits = bytes(memoryview(data)[start : start + rows * width]).hex() if data is not None else ""
    fixed = pa.Array.from_buffers(pa.binary(width * 2), rows, [None, pa.py_buffer(digits.encode("ascii"))])
    return fixed.cast(pa.large_binary())


def _require_years(ticks: pa.Array, a_day: int) -> None:
    """`BadInput` for dates beyond pyarrow's calendar, including DuckDB's infinite dates: pyarrow would not print a
    date.
    """
    ends = pc.min_max(ticks)
    least, greatest = ends["min"].as_py(), ends["max"].as_py()
    if least is not None and max(-least, greatest) > _LAST_DAY * a_day:
        raise BadInput(
            "The answer has a date or time beyond the year 32767, or an infinite one, which cannot be told. "
            "Leave such rows out with `where`, or the column."
        )


def _text_of_timestamps(column: pa.Array) -> pa.Array:
    column = instants(column)
    _require_years(column.cast(pa.int64()), _A_DAY[column.type.unit])
    seconds = pc.floor_temporal(column, unit="second")
    naive = pa.timestamp(column.type.unit)
    if column.type.unit == "s" or pc.all(pc.equal(column, seconds)).as_py() is not False:
        text = column.cast(pa.timestamp("s", "UTC")).cast(pa.timestamp("s")).cast(TEXT)
    else:
        text = pc.utf8_rtrim(pc.utf8_rtrim(column.cast(naive).cast(TEXT), "0"), ".")
    return joined([pc.replace_substring(text, " ", "T", max_replacements=1), "+00:00"])


def _json_of_list(column: pa.Array, element: ColumnType) -> pa.Array:
    return joined_lists(column, json_text(pc.list_flatten(column), element))


def _json_of_json(column: pa.Array) -> pa.Array:
    """JSON text unchanged. Text that the store declares as JSON but that is not becomes a JSON string, so nothing is
    lost.
    """
    if pa.types.is_nested(column.type):
        return _mapped(column, lambda value: orjson.dumps(value, default=_plain_part).decode("utf-8"))
    return _mapped(_valid_text(column), _checked_json)


def _plain_part(value: object) -> str:
    """Converts types that JSON lacks within a nested value: bytes become base64, as they do outside of one."""
    return b64encode(value).decode("ascii") if isinstance(value, bytes) else str(value)


def _checked_json(text: str) -> str:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return orjson.dumps(text).decode("utf-8")
    return text
