"""Maps the kinds of columns to GraphQL types and to their filter operators (docs/schema-conventions.md)."""

from functools import cache
from typing import Any

import strawberry

from loaders.description import ColumnType, Enumeration, Kind
from loaders.read import Op
from schema.mapping import types
from schema.mapping.enums import enum_of
from schema.scalars import JSON, UUID, Base64, BigInt, CalendarDate, DateTime, GeoJSON, H3Index, Numeric

SCALAR_OF: dict[Kind, Any] = {
    Kind.BOOLEAN: bool,
    Kind.INTEGER: int,
    Kind.BIGINT: BigInt,
    Kind.FLOAT: float,
    Kind.NUMERIC: Numeric,
    Kind.TEXT: str,
    Kind.UUID: UUID,
    Kind.DATE: CalendarDate,
    Kind.TIMESTAMP: DateTime,
    Kind.JSON: JSON,
    Kind.BYTES: Base64,
    Kind.GEOMETRY: GeoJSON,
    Kind.H3: H3Index,
}


def output_type(type_: ColumnType) -> Any:
    """The GraphQL output type of a column, without its nullability."""
    if type_.enumeration is not None:
        return enum_of(type_.enumeration)
    if type_.kind is Kind.ARRAY and type_.element is not None:
        return list[output_type(type_.element)]  # type: ignore[misc]
    if type_.kind is Kind.VECTOR:
        return list[float]
    return SCALAR_OF[type_.kind]


_EQUALITY = {"eq": Op.EQ, "ne": Op.NE, "in": Op.IN, "notIn": Op.NOT_IN}
_RANGE = {"lt": Op.LT, "lte": Op.LTE, "gt": Op.GT, "gte": Op.GTE}
_NULL = {"isNull": Op.IS_NULL}
_TEXT = {"like": Op.LIKE, "ilike": Op.ILIKE, "startsWith": Op.STARTS_WITH}
_JSON = {"contains": Op.CONTAINS, "containedBy": Op.CONTAINED_BY, "hasKey": Op.HAS_KEY}
_ARRAY = {"contains": Op.CONTAINS, "containedBy": Op.CONTAINED_BY}
_ITEMS = frozenset({Kind.BOOLEAN, Kind.INTEGER, Kind.BIGINT, Kind.TEXT, Kind.UUID, Kind.DATE, Kind.TIMESTAMP, Kind.H3})
"""Of arrays that are compared: kinds whose equal values are the same value in every store."""
_GEOMETRY = {"intersects": Op.INTERSECTS, "within": Op.WITHIN, "bbox": Op.BBOX, "dWithin": Op.DWITHIN}

OPERATORS: dict[Kind, dict[str, Op]] = {
    Kind.BOOLEAN: {"eq": Op.EQ, "ne": Op.NE} | _NULL,
    Kind.TEXT: _EQUALITY | _RANGE | _TEXT | _NULL,
    Kind.JSON: _JSON | _NULL,
    Kind.GEOMETRY: _GEOMETRY | _NULL,
    Kind.H3: _EQUALITY | _NULL,
    Kind.BYTES: _NULL,
    Kind.VECTOR: _NULL,
    Kind.ARRAY: _ARRAY | _NULL,
} | dict.fromkeys(
    (Kind.INTEGER, Kind.BIGINT, Kind.FLOAT, Kind.NUMERIC, Kind.UUID, Kind.DATE, Kind.TIMESTAMP),
    _EQUALITY | _RANGE | _NULL,
)

_MEANING = {
    Op.EQ: "Equal to.",
    Op.NE: "Not equal to. Nulls do not match.",
    Op.IN: "Equal to one of these.",
    Op.NOT_IN: "Equal to none of these. Nulls match an empty list only.",
    Op.LT: "Less than.",
    Op.LTE: "At most.",
    Op.GT: "Greater than.",
    Op.GTE: "At least.",
    Op.IS_NULL: "True: is null. False: is not null.",
    Op.LIKE: "Matches an SQL LIKE pattern: `%` any text, `_` any character, backslash escapes.",
    Op.ILIKE: "As `like`, ignoring case.",
    Op.STARTS_WITH: "Starts with this text, taken literally.",
    Op.CONTAINS: "Contains this JSON value.",
    Op.CONTAINED_BY: "Is contained in this JSON value.",
    Op.HAS_KEY: "Is an object with this key at its top.",
    Op.BBOX: "Its bounding box meets `[west, south, east, north]`, in degrees.",
    Op.INTERSECTS: "Shares a point with this geometry.",
    Op.WITHIN: "Lies inside this geometry.",
    Op.DWITHIN: "Lies within a distance of this geometry.",
}


@strawberry.input(description="A geometry and a distance from it.")
class DistanceInput:
    geometry: GeoJSON = strawberry.field(description="Where the distance is measured from.")
    metres: float = strawberry.field(description="Distance on the WGS 84 spheroid, in metres.")


def _operand(op: Op, scalar: Any) -> Any:
    match op:
        case Op.IN | Op.NOT_IN:
            return list[scalar]
        case Op.IS_NULL:
            return bool
        case Op.HAS_KEY:
            return str
        case Op.BBOX:
            return list[float]
        case Op.DWITHIN:
            return DistanceInput
        case _:
            return scalar


def _filter_name(kind: Kind) -> str:
    named = {Kind.BIGINT: "BigInt", Kind.UUID: "UUID", Kind.JSON: "JSON", Kind.H3: "H3", Kind.NUMERIC: "Decimal"}
    named |= {Kind.TIMESTAMP: "DateTime", Kind.INTEGER: "Int"}
    return named.get(kind, kind.value.capitalize()) + "Filter"


def _operators(kind: Kind) -> dict[str, tuple[Any, str]]:
    return {name: (_operand(op, SCALAR_OF.get(kind)), _MEANING[op]) for name, op in OPERATORS[kind].items()}


types.make_input(
    "JSONPathFilter",
    {
        "at": (
            list[str],
            "The way to the value: keys of objects, places in arrays (`0` is the first, `-1` the last).",
        )
    }
    | _operators(Kind.TEXT)
    | {"number": (types.lazy("DecimalFilter"), "On the value as a number; null where it is not a JSON number.")},
    "Conditions on the value at a path inside a JSON value, as text (a string without its quotes, `true`, `1.5`, JSON"
    " for objects and arrays); all that are given must hold. What is absent and JSON's null are null.",
    required=("at",),
)
_AT_PATHS = {"path": (types.list_of(types.lazy("JSONPathFilter")), "On the values at these paths, each.")}

FILTERS: dict[Kind, type] = {
    kind: types.make_input(
        _filter_name(kind),
        _operators(kind) | (_AT_PATHS if kind is Kind.JSON else {}),
        f"Filter for values of kind {kind.value}. All given conditions must hold.",
    )
    for kind in OPERATORS
    if kind is not Kind.ARRAY
}


def filter_type(type_: ColumnType) -> type:
    """The input type of conditions on a value of that type. An enum and an array have input types of their own."""
    if type_.enumeration is not None:
        return _enum_filter(type_.enumeration)
    if type_.kind is Kind.ARRAY and type_.element is not None:
        return _array_filter(type_.element.kind)
    return FILTERS[type_.kind]


@cache
def _array_filter(element: Kind) -> type:
    """Of arrays in arrays, and of kinds whose values may be equal in one store and not in another, only nulls are
    asked for.
    """
    fields: dict[str, tuple[Any, str]] = {}
    if element in _ITEMS:
        items = types.list_of(SCALAR_OF[element])
        fields["contains"] = (items, "Has each of these items, in any order.")
        fields["containedBy"] = (items, "Has no other items than these.")
    return types.make_input(
        _filter_name(element).removesuffix("Filter") + "ArrayFilter",
        fields | {"isNull": (bool, _MEANING[Op.IS_NULL])},
        f"Filter for arrays of values of kind {element.value}. All given conditions must hold.",
    )


@cache
def _enum_filter(enumeration: Enumeration) -> type:
    """Of conditions that mean something for names: they have no order, and no parts."""
    enum = enum_of(enumeration)
    return types.make_input(
        f"{enumeration.name}Filter",
        {name: (_operand(op, enum), _MEANING[op]) for name, op in (_EQUALITY | _NULL).items()},
        f"Filter for values of `{enumeration.name}`. All given conditions must hold.",
    )
