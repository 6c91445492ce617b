"""Geometries to compare with: RFC 7946's, and nothing that PostGIS would make something of."""

import json
from typing import Any

import pytest

from resolvers.geojson import check_geometry

RING = [[0, 0], [1, 0], [1, 1], [0, 0]]


def geometry(type_: str, coordinates: Any) -> dict[str, Any]:
    return {"type": type_, "coordinates": coordinates}


def collection(*geometries: Any) -> dict[str, Any]:
    return {"type": "GeometryCollection", "geometries": geometries}


def nested(levels: int) -> dict[str, Any]:
    return collection(geometry("Point", [0, 0])) if levels == 0 else collection(nested(levels - 1))


TAKEN = [
    geometry("Point", [-180, 90]),
    geometry("Point", [8.5, 47.1, 400]),
    geometry("MultiPoint", [[0, 0], [1, 1, 1]]),
    geometry("LineString", [[0, 0], [1, 1]]),
    geometry("MultiLineString", [[[0, 0], [1, 1]]]),
    geometry("Polygon", [RING]),
    geometry("MultiPolygon", [[RING], [RING, RING]]),
    collection(geometry("Point", [0, 0]), geometry("Polygon", [RING])),
    nested(7),
    {**geometry("Point", [0, 0]), "crs": {"type": "name"}},
]


@pytest.mark.parametrize("given", TAKEN, ids=repr)
def test_taken(given: dict[str, Any]) -> None:
    check_geometry(json.dumps(given))


REFUSED = [
    (geometry("Point", ["a", 1]), "positions of 2 numbers"),
    (geometry("Point", [True, 1]), "positions of 2 numbers"),
    (geometry("Point", [1]), "positions of 2 numbers"),
    (geometry("Point", [1, 2, 3, 4]), "positions of 2 numbers"),
    (geometry("Point", []), "positions of 2 numbers"),
    (geometry("Point", None), "coordinates"),
    (geometry("Point", [0, 90.1]), "latitude -90 to 90"),
    (geometry("Point", [-180.1, 0]), "longitude -180 to 180"),
    (geometry("LineString", [[0, 0]]), "too few"),
    (geometry("Polygon", []), "too few"),
    (geometry("Polygon", [[[0, 0], [1, 1], [0, 0]]]), "too few"),
    (geometry("Polygon", [[[0, 0], [1, 0], [1, 1], [0, 1]]]), "does not end"),
    (geometry("point", [0, 0]), "GeoJSON Point"),
    (geometry("Feature", [0, 0]), "GeoJSON Point"),
    ({"type": "Point"}, "coordinates"),
    (collection(), "geometries"),
    (collection(1), "no geometry"),
    (collection(geometry("Point", [0, "x"])), "positions of 2 numbers"),
    (nested(8), "too many"),
]


@pytest.mark.parametrize(("given", "message"), REFUSED, ids=repr)
def test_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_geometry(json.dumps(given))
