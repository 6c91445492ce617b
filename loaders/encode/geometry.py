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
    """A GeoJSON object per row, null for null. A text column is GeoJSON already (`ST_AsGeoJSON`).

    `geometry` is the declared type name; undeclared, the depth of nesting tells. `numbers` writes a column of floats.
    """
    if not pa.types.is_nested(column.type):
        return column.cast(TEXT)
    coordinates, depth = _coordinates(column, numbers)
    name = _NAMES.get((geometry or "").upper().removesuffix("Z"), _BY_DEPTH[min(depth, 3)])
    text = joined([f'{{"type":"{name}","coordinates":', coordinates, "}"])
    return pc.if_else(pc.is_valid(column), text, pa.scalar(None, TEXT))


def _coordinates(column: pa.Array, numbers: Callable[[pa.Array], pa.Array]) -> tuple[pa.Array, int]:
    """The coordinates' text and the depth of lists around a position."""
    if pa.types.is_struct(column.type):
        parts: list[pa.Array | str] = ["["]
        for index in range(column.type.num_fields):
            parts += [numbers(pc.struct_field(column, [index])), ","]
        return joined([*parts[:-1], "]"]), 0
    inner, depth = _coordinates(pc.list_flatten(column), numbers)
    return joined_lists(column, inner), depth + 1
