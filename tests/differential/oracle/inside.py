"""What stands at a path inside a JSON value, as Postgres' `#>>` has it, and where points lie."""

import json
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

_RADIUS = 6_371_008.8
_UNSURE = 0.02
"""The Earth is no sphere: distances this near to the limit are not asked about."""


def at_path(document: Any, path: Sequence[str]) -> Any:
    """`None` for what is absent and for JSON's null."""
    for step in path:
        match document:
            case dict():
                document = document.get(step)
            case list() if step.lstrip("-").isdecimal() and -len(document) <= int(step) < len(document):
                document = document[int(step)]
            case _:
                return None
    return document


def as_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else _json(value)


def as_number(value: Any) -> Decimal | None:
    return None if isinstance(value, bool) or not isinstance(value, int | float) else Decimal(str(value))


def _json(value: Any) -> str:
    """As `jsonb` is written: keys by length, then by bytes."""
    match value:
        case dict():
            names = sorted(value, key=lambda name: (len(name.encode()), name.encode()))
            return "{" + ", ".join(f"{json.dumps(n, ensure_ascii=False)}: {_json(value[n])}" for n in names) + "}"
        case list():
            return "[" + ", ".join(map(_json, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def in_box(place: Sequence[float], box: Sequence[float]) -> bool:
    west, south, east, north = box
    across = west <= place[0] <= east if west <= east else place[0] >= west or place[0] <= east
    return across and south <= place[1] <= north


def in_rectangle(place: Sequence[float], polygon: Mapping[str, Any]) -> bool:
    """Of a polygon that is a rectangle, on whose sides no row's point lies."""
    (ring,) = polygon["coordinates"]
    longitudes, latitudes = zip(*ring, strict=True)
    inside = min(longitudes) < place[0] < max(longitudes) and min(latitudes) < place[1] < max(latitudes)
    return bool(inside)


def is_near(place: Sequence[float], point: Sequence[float], metres: float) -> bool:
    (west, south), (east, north) = (map(math.radians, each) for each in (place, point))
    chord = math.sin((north - south) / 2) ** 2 + math.cos(south) * math.cos(north) * math.sin((east - west) / 2) ** 2
    distance = 2 * _RADIUS * math.asin(math.sqrt(chord))
    assert abs(distance - metres) > _UNSURE * metres, (place, point, metres)
    return distance < metres
