"""Validates GeoJSON geometries of a request against RFC 7946 before a store is asked: PostGIS accepts ["a", 1] as [0,
1].
"""

import math
from collections.abc import Collection

import orjson

_DEPTHS = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
_LEAST_POSITIONS = {"LineString": 2, "MultiLineString": 2, "Polygon": 4, "MultiPolygon": 4}
_COLLECTION = "GeometryCollection"
_MAX_COLLECTIONS = 8  # one within the other
_NUMBERS = {2: "2 numbers: longitude and latitude", 3: "3 numbers: longitude, latitude and altitude"}


def geometry_to_store(text: str, wanted: str) -> str:
    """GeoJSON text of type and coordinates only. RFC 7946 has a single reference system, so `crs` is ignored.

    `wanted` is the PostGIS type of the column, such as `POINTZ`. The `ValueError` completes a sentence that begins with
    "`field` ".
    """
    given = orjson.loads(text)
    allowed = [name for name in _DEPTHS if wanted.removesuffix("Z") in (name.upper(), "GEOMETRY")]
    if given["type"] not in allowed:
        raise ValueError(f"must be a GeoJSON {' or '.join(allowed)}")
    _check(given, (3,) if wanted.endswith("Z") else (2,))
    return orjson.dumps({"type": given["type"], "coordinates": given["coordinates"]}).decode()


def check_geometry(text: str) -> None:
    """Validates a geometry to compare with: any type, with or without altitudes. Raises `ValueError` as
    `geometry_to_store`.
    """
    _check_any(orjson.loads(text), _MAX_COLLECTIONS)


def _check_any(given: object, collections: int) -> None:
    if not isinstance(given, dict):
        raise ValueError("holds something that is no geometry")
    if given.get("type") != _COLLECTION:
        _check(given, (2, 3))
        return
    geometries = given.get("geometries")
    if not isinstance(geometries, list) or not geometries:
        raise ValueError("is a collection without `geometries`")
    if not collections:
        raise ValueError("has collections within collections, too many")
    for each in geometries:
        _check_any(each, collections - 1)


def _check(given: dict[str, object], numbers: Collection[int]) -> None:
    type_ = given.get("type")
    if not isinstance(type_, str) or type_ not in _DEPTHS:
        raise ValueError(f"must be a GeoJSON {', '.join(_DEPTHS)} or {_COLLECTION}")
    least = _LEAST_POSITIONS.get(type_, 1)
    _check_positions(given.get("coordinates"), _DEPTHS[type_], numbers, least, ring="Polygon" in type_)


def _check_positions(coordinates: object, depth: int, numbers: Collection[int], least: int, *, ring: bool) -> None:
    if not isinstance(coordinates, list):
        raise ValueError("has no such `coordinates` as its type has")
    if depth == 0:
        _check_position(coordinates, numbers)
        return
    if len(coordinates) < (least if depth == 1 else 1):
        raise ValueError("has too few positions")
    for inner in coordinates:
        _check_positions(inner, depth - 1, numbers, least, ring=ring)
    if depth == 1 and ring and coordinates[0] != coordinates[-1]:
        raise ValueError("has a ring that does not end where it begins")


def _check_position(position: list[object], numbers: Collection[int]) -> None:
    parts = [part for part in position if isinstance(part, (int, float)) and not isinstance(part, bool)]
    if len(position) not in numbers or len(parts) != len(position) or not all(map(math.isfinite, parts)):
        raise ValueError(f"must have positions of {' or '.join(_NUMBERS[number] for number in numbers)}")
    if abs(parts[0]) > 180 or abs(parts[1]) > 90:
        raise ValueError("has a position outside of longitude -180 to 180 and latitude -90 to 90")
