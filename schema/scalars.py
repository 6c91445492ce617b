"""Custom scalars. Compiled answers contain them in output form, so `serialize` is the identity. Input is parsed
strictly.
"""

import base64
import binascii
import math
import re
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NewType, cast

import orjson
import strawberry
from graphql import (
    FloatValueNode,
    GraphQLError,
    ListValueNode,
    ObjectValueNode,
    ValueNode,
    value_from_ast_untyped,
)
from strawberry.types.scalar import ScalarDefinition

from loaders.description import ColumnType, Kind
from loaders.encode.number import Exact, exact_number
from loaders.encode.value import encode_value

BigInt = NewType("BigInt", int)
DateTime = NewType("DateTime", datetime)
CalendarDate = NewType("CalendarDate", date)
Numeric = NewType("Numeric", Decimal)
UUID = NewType("UUID", uuid.UUID)
JSON = NewType("JSON", object)
GeoJSON = NewType("GeoJSON", str)
H3Index = NewType("H3Index", int)
Base64 = NewType("Base64", bytes)

_INT64 = range(-(2**63), 2**63)
_DECIMAL = re.compile(r"-?\d{1,1000}(\.\d{1,1000})?([eE][+-]?\d{1,4})?", re.ASCII)
_INTEGER = re.compile(r"-?\d{1,19}", re.ASCII)
_H3 = re.compile(r"[0-9a-fA-F]{15,16}")


def bigint(value: int) -> BigInt:
    """A value for a `BigInt` field: its output form, decimal text."""
    return cast(BigInt, str(value))


def date_time(value: datetime) -> DateTime:
    """A value for a `DateTime` field: its output form, as the stores write it."""
    return cast(DateTime, encode_value(value, ColumnType(Kind.TIMESTAMP)))


def _same(value: Any) -> Any:
    return value


def _parse_bigint(value: object) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value in _INT64:
        return value
    raise GraphQLError("BigInt is a 64-bit integer, written as a decimal string or a number.")


def _parse_datetime(value: object) -> datetime:
    try:
        parsed = datetime.fromisoformat(value) if isinstance(value, str) and len(value) <= 40 else None
        if parsed is not None and parsed.tzinfo is not None:
            return parsed.astimezone(UTC)
    except ValueError:
        pass
    except OverflowError:
        raise GraphQLError("DateTime is an instant of the years 1 to 9999, as UTC counts them.") from None
    raise GraphQLError("DateTime is an RFC 3339 instant with a zone, such as 2026-01-31T12:00:00Z.")


def _parse_date(value: object) -> date:
    try:
        if isinstance(value, str) and len(value) == 10:
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise GraphQLError("Date is an ISO 8601 calendar date, such as 2026-01-31.")


def _parse_decimal(value: object) -> Decimal:
    text = value if isinstance(value, str) else repr(value) if type(value) in (int, float, Exact) else ""
    try:
        if _DECIMAL.fullmatch(text):
            return Decimal(text)
    except InvalidOperation:
        pass
    raise GraphQLError("Decimal is an exact number, written as a decimal string.")


def _parse_uuid(value: object) -> uuid.UUID:
    try:
        if isinstance(value, str) and len(value) == 36:
            return uuid.UUID(value)
    except ValueError:
        pass
    raise GraphQLError("UUID is written as 8-4-4-4-12 hexadecimal digits.")


def _parse_geojson(value: object) -> str:
    if isinstance(value, dict) and isinstance(value.get("type"), str):
        try:
            return orjson.dumps(value, default=_double).decode()
        except orjson.JSONEncodeError:
            pass  # half of a surrogate pair, or not a number
    raise GraphQLError(
        'GeoJSON is a geometry object of RFC 7946 in WGS 84, such as {type: "Point", coordinates: [6.1, 46.2]}.'
    )


def _double(value: object) -> float:
    """Coordinates are doubles. A variable inside a literal that was not provided is no value."""
    if isinstance(value, Exact):
        return float(value)
    raise TypeError


def _parse_h3(value: object) -> int:
    if isinstance(value, str) and _H3.fullmatch(value):
        return int(value, 16)
    raise GraphQLError("H3Index is written as 15 hexadecimal digits.")


def _parse_base64(value: object) -> bytes:
    try:
        if isinstance(value, str):
            return base64.b64decode(value, validate=True)
    except binascii.Error:
        pass
    raise GraphQLError("Base64 is standard base64 text of RFC 4648.")


def _parse_json(value: object) -> object:
    _check_numbers(value)
    return value


def _check_numbers(value: object) -> None:
    match value:
        case Exact() if _is_vast(value.text):
            raise GraphQLError(
                "A number in JSON has at most 1000 digits before and after its point, and 4 in its exponent."
            )
        case float() if not math.isfinite(value):
            raise GraphQLError("JSON has no NaN and no infinity.")
        case dict():
            for below in value.values():
                _check_numbers(below)
        case list():
            for item in value:
                _check_numbers(item)


def _is_vast(number: str) -> bool:
    """Whether the number exceeds what the stores hold. Only numbers that may exceed it are examined closely."""
    return (len(number) > 1_000 or "e" in number or "E" in number) and not _DECIMAL.fullmatch(number)


def _literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
    """Like `value_from_ast_untyped`, but keeps numbers as they are written."""
    match node:
        case FloatValueNode(value=text):
            return exact_number(text)
        case ListValueNode(values=items):
            return [_literal(item, variables) for item in items]
        case ObjectValueNode(fields=fields):
            return {field.name.value: _literal(field.value, variables) for field in fields}
        case _:
            return value_from_ast_untyped(node, variables)


def _scalar(name: str, parse: Callable[[Any], Any], url: str | None, description: str) -> ScalarDefinition:
    return strawberry.scalar(
        name=name,
        serialize=_same,
        parse_value=parse,
        parse_literal=lambda node, variables=None: parse(_literal(node, variables)),
        specified_by_url=url,
        description=description,
    )


SCALARS: dict[object, ScalarDefinition] = {
    BigInt: _scalar(
        "BigInt",
        _parse_bigint,
        "https://www.w3.org/TR/xmlschema11-2/#long",
        "A 64-bit signed integer as a decimal string.",
    ),
    DateTime: _scalar(
        "DateTime",
        _parse_datetime,
        "https://www.rfc-editor.org/rfc/rfc3339",
        "An instant, RFC 3339; always UTC in answers.",
    ),
    CalendarDate: _scalar(
        "Date", _parse_date, "https://www.rfc-editor.org/rfc/rfc3339#section-5.6", "A calendar date, `YYYY-MM-DD`."
    ),
    Numeric: _scalar(
        "Decimal",
        _parse_decimal,
        "https://www.w3.org/TR/xmlschema11-2/#decimal",
        "An exact decimal number as a string.",
    ),
    UUID: _scalar("UUID", _parse_uuid, "https://www.rfc-editor.org/rfc/rfc9562", "A UUID, `8-4-4-4-12` digits."),
    JSON: _scalar("JSON", _parse_json, "https://www.rfc-editor.org/rfc/rfc8259", "Any JSON value."),
    GeoJSON: _scalar(
        "GeoJSON", _parse_geojson, "https://www.rfc-editor.org/rfc/rfc7946", "A GeoJSON geometry in WGS 84."
    ),
    H3Index: _scalar(
        "H3Index", _parse_h3, "https://h3geo.org/docs/core-library/h3Indexing", "An H3 cell, 15 hex digits."
    ),
    Base64: _scalar("Base64", _parse_base64, "https://www.rfc-editor.org/rfc/rfc4648#section-4", "Bytes as base64."),
}
