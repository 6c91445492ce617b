"""Values of an input held against the columns they are written to, before a store is asked. Pure."""

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import TypeAlias

import orjson
import sqlalchemy as sa

from loaders.description import ColumnType, Kind, Table
from loaders.errors import BadInput
from loaders.read import Value

_SMALL = range(-(2**15), 2**15)
_MAX_LEVELS = 100
_FLOAT4_MAX = 3.4028234e38  # what a component of a vector holds
_DEPTHS = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
_LEAST_POSITIONS = {"LineString": 2, "MultiLineString": 2, "Polygon": 4, "MultiPolygon": 4}


Shape: TypeAlias = Callable[[Value], Value]
"""What a JSON value must be: it is returned as it is stored, or `ValueError` says what is wrong, after "`field` "."""


def checked(
    values: Mapping[str, Value],
    *,
    table: Table,
    model: sa.Table,
    names: Mapping[str, str],
    shapes: Mapping[str, Shape] = MappingProxyType({}),
) -> dict[str, Value]:
    """The values by column, as they are bound. `BadInput` names the field, as `names` has it, and what it takes."""
    written: dict[str, Value] = {}
    for column, value in values.items():
        described = table.column(column)
        if value is None and not described.nullable:
            raise BadInput(f"`{names[column]}` must not be null.", field=names[column])
        try:
            bound = None if value is None else _checked(value, described.type, model.c[column].type)
            written[column] = shapes[column](bound) if bound is not None and column in shapes else bound
        except ValueError as error:
            raise BadInput(f"`{names[column]}` {error}.", field=names[column]) from None
    return written


def _checked(value: Value, type_: ColumnType, sql: sa.types.TypeEngine[object]) -> Value:
    match type_.kind:
        case Kind.TEXT:
            _check_text(value)
            length = getattr(sql, "length", None)
            if length is not None and len(str(value)) > length:
                raise ValueError(f"may have at most {length} characters")
        case Kind.JSON:
            _check_text(value)
        case Kind.ARRAY:
            assert isinstance(value, list)
            assert type_.element is not None
            return [_checked(item, type_.element, getattr(sql, "item_type", sql)) for item in value]
        case Kind.INTEGER if isinstance(sql, sa.SmallInteger) and value not in _SMALL:
            raise ValueError("is not within -32768 and 32767")
        case Kind.VECTOR:
            assert isinstance(value, list)
            if len(value) != type_.dimensions:
                raise ValueError(f"must have {type_.dimensions} numbers")
            if any(abs(number) > _FLOAT4_MAX for number in value):
                raise ValueError("has a number beyond those of 32-bit floats")
        case Kind.NUMERIC if isinstance(sql, sa.Numeric) and sql.precision is not None:
            whole = sql.precision - (sql.scale or 0)
            if not -(10**whole) < round(Decimal(str(value)), sql.scale or 0) < 10**whole:
                raise ValueError(f"may have at most {whole} digits before the decimal point")
        case Kind.GEOMETRY:
            return _geometry(str(value), (type_.geometry or "GEOMETRY").upper())
    return value


def _check_text(value: object) -> None:
    """Postgres' text is UTF-8 without U+0000, also inside of JSON, which must not be nested beyond what can be read."""
    level: list[object] = [value]
    for _ in range(_MAX_LEVELS):
        inner: list[object] = []
        for item in level:
            match item:
                case str():
                    if "\x00" in item or any("\ud800" <= character <= "\udfff" for character in item):
                        raise ValueError("has a character that cannot be stored (U+0000 or half of a surrogate pair)")
                case dict():
                    inner += [*item.keys(), *item.values()]
                case list():
                    inner += item
        if not inner:
            return
        level = inner
    raise ValueError(f"is nested more than {_MAX_LEVELS} levels deep")


def _geometry(text: str, wanted: str) -> str:
    """GeoJSON text of type and coordinates alone: RFC 7946 has one reference system, so a `crs` is not heard."""
    given = orjson.loads(text)
    allowed = [name for name in _DEPTHS if wanted.removesuffix("Z") in (name.upper(), "GEOMETRY")]
    type_ = given["type"]
    if type_ not in allowed:
        raise ValueError(f"must be a GeoJSON {' or '.join(allowed)}")
    numbers = 3 if wanted.endswith("Z") else 2
    least = _LEAST_POSITIONS.get(type_, 1)
    _check_positions(given.get("coordinates"), _DEPTHS[type_], numbers, least, ring="Polygon" in type_)
    return orjson.dumps({"type": type_, "coordinates": given["coordinates"]}).decode()


def _check_positions(coordinates: object, depth: int, numbers: int, least: int, *, ring: bool) -> None:
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


def _check_position(position: list[object], numbers: int) -> None:
    parts = [part for part in position if isinstance(part, (int, float)) and not isinstance(part, bool)]
    if len(position) != numbers or len(parts) != numbers or not all(map(math.isfinite, parts)):
        what = "longitude, latitude and altitude" if numbers == 3 else "longitude and latitude"
        raise ValueError(f"must have positions of {numbers} numbers: {what}")
    if abs(parts[0]) > 180 or abs(parts[1]) > 90:
        raise ValueError("has a position outside of longitude -180 to 180 and latitude -90 to 90")
