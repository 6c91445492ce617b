"""ClickHouse geometry (tuples of lon and lat, nested in arrays) as GeoJSON text (RFC 7946)."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from loaders.encode.joining import TEXT, joined, joined_lists

_BY_DEPTH = ("Point", "LineString", "Polygon", "MultiPolygon")
_NAMES = {
    name.upper(): name for name in ("Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon")
}


def geojson_text(column: pa.Array, geometry: str | None, *, numbers: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """One GeoJSON object per row, and null for null. A text column already is GeoJSON (`ST_AsGeoJSON`).

    `geometry` is the declared type; without one it follows from the depth of nesting. `numbers` converts a column of
    floats to text.
    """
    if not pa.types.is_nested(column.type):
        return column.cast(TEXT)
    coordinates, depth = _coordinates(column, numbers)
    name = _NAMES.get((geometry or "").upper().removesuffix("Z"), _BY_DEPTH[min(depth, 3)])
    text = joined([f'{{"type":"{name}","coordinates":', coordinates, "}"])
    return pc.if_else(pc.is_valid(column), text, pa.scalar(None, TEXT))


def _coordinates(column: pa.Array, numbers: Callable[[pa.Array], pa.Array]) -> tuple[pa.Array, int]:
    """The text of the coordinates, and how many lists are nested around a position."""
    if pa.types.is_struct(column.type):
        parts: list[pa.Array | str] = ["["]
        for index in range(column.type.num_fields):
            parts += [numbers(pc.struct_field(column, [index])), ","]
        return joined([*parts[:-1], "]"]), 0
    inner, depth = _coordinates(pc.list_flatten(column), numbers)
    return joined_lists(column, inner), depth + 1
