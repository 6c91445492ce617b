"""Converts values without a JSON representation of their own, losing none and showing none in Python's notation.

Within structs, lists and maps, numbers stay numbers. Decimals, UUIDs, dates and instants become the texts they have
outside of them, and bytes base64. Times and intervals are written as DuckDB writes them. A map becomes an object when
all of its keys are scalars and distinct in each row, else a list of pairs.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Final, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from loaders.description import ColumnType, Kind
from loaders.encode.text import plain_text, unwrapped
from loaders.errors import BadInput
from loaders.warehouses.arrow_types import presentation

Part: TypeAlias = "str | int | float | Sequence[Part] | dict[str, Part] | None"

_NS: Final = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_SECOND: Final = _NS["s"]


def parts(column: pa.Array) -> list[Part]:
    """The JSON-ready value of each row. `BadInput` for types that have no such form."""
    if pa.types.is_run_end_encoded(column.type):
        column = pc.run_end_decode(column)
    arrow = column.type
    if isinstance(arrow, pa.OpaqueType) or pa.types.is_union(arrow):
        raise BadInput(f"The answer has values of a type that JSON has no form for ({arrow}). Cast them to text.")
    column = unwrapped(column)
    arrow = column.type
    if pa.types.is_struct(arrow):
        return _of_structs(column)
    if pa.types.is_map(arrow):
        return _of_maps(column)
    if pa.types.is_nested(arrow):
        inner = iter(parts(column.flatten()))
        lengths = pc.list_value_length(column).to_pylist()
        return [None if length is None else list(islice(inner, length)) for length in lengths]
    return _of_scalars(column)


def _of_structs(column: pa.StructArray) -> list[Part]:
    names = column.type.names
    rows = zip(*(parts(each) for each in column.flatten()), strict=True) if names else ((),) * len(column)
    valid = column.is_valid().to_pylist()
    if len(set(names)) < len(names):
        pairs = ([[name, value] for name, value in zip(names, row, strict=True)] for row in rows)
        return [row if there else None for row, there in zip(pairs, valid, strict=True)]
    return [dict(zip(names, row, strict=True)) if there else None for row, there in zip(rows, valid, strict=True)]


def _of_maps(column: pa.MapArray) -> list[Part]:
    ends = column.offsets.to_pylist()
    first, length = ends[0], ends[-1] - ends[0]
    keys, items = parts(column.keys.slice(first, length)), parts(column.items.slice(first, length))
    found: list[Part] = []
    for there, start, end in zip(column.is_valid().to_pylist(), ends, ends[1:], strict=False):
        part = slice(start - first, end - first)
        found.append(_map(keys[part], items[part]) if there else None)
    return found


def _map(keys: Sequence[Part], items: Sequence[Part]) -> Part:
    texts = [_key(key) for key in keys]
    if None in texts or len(set(texts)) < len(texts):
        return [[key, item] for key, item in zip(keys, items, strict=True)]
    return {str(text): item for text, item in zip(texts, items, strict=True)}


def _key(key: Part) -> str | None:
    match key:
        case bool():
            return "true" if key else "false"
        case str() | int() | float():
            return str(key)
        case _:
            return None


def _of_scalars(column: pa.Array) -> list[Part]:
    arrow = column.type
    if pa.types.is_boolean(arrow) or pa.types.is_integer(arrow) or pa.types.is_null(arrow):
        return _listed(column)
    if pa.types.is_floating(arrow):
        return _listed(pc.if_else(pc.is_finite(column), column, pa.scalar(None, arrow)))
    if pa.types.is_time(arrow):
        ticks = column.cast(pa.int64() if arrow.bit_width == 64 else pa.int32())
        return [None if tick is None else _clock(tick * _NS[arrow.unit]) for tick in ticks.to_pylist()]
    if pa.types.is_duration(arrow):
        ticks = column.cast(pa.int64())
        return [None if tick is None else _interval(0, 0, tick * _NS[arrow.unit]) for tick in ticks.to_pylist()]
    if arrow == pa.month_day_nano_interval():
        return [None if each is None else _interval(*each) for each in column.to_pylist()]
    shown = presentation(arrow)
    if shown is None and not pa.types.is_decimal(arrow):
        raise BadInput(f"The answer has values of a type that JSON has no form for ({arrow}). Cast them to text.")
    return _listed(plain_text(column, shown.type if shown is not None else ColumnType(Kind.NUMERIC)))


def _listed(column: pa.Array) -> list[Part]:
    found: list[Part] = column.to_pylist()
    return found


def _interval(months: int, days: int, nanoseconds: int) -> str:
    """Written as DuckDB's cast to text does: `-1 year -2 months 3 days 00:00:01.5`."""
    sign = -1 if months < 0 else 1
    years, left = divmod(abs(months), 12)
    counted = (("year", sign * years), ("month", sign * left), ("day", days))
    words = [f"{count} {name}" + ("s" if abs(count) != 1 else "") for name, count in counted if count]
    if nanoseconds or not words:
        words.append(("-" if nanoseconds < 0 else "") + _clock(abs(nanoseconds)))
    return " ".join(words)


def _clock(nanoseconds: int) -> str:
    seconds, rest = divmod(nanoseconds, _SECOND)
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{fraction}"
