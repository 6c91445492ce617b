"""Converts single values to text and back (a term of a cursor, a part of a node id), as `plain_text` does
for a column.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from uuid import UUID

from loaders.description import ColumnType, Kind

_INTEGER = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_H3 = re.compile(r"[0-9a-f]{1,16}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_DECIMAL = re.compile(r"-?[0-9]{1,80}(\.[0-9]{1,80})?", re.ASCII)
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?\+00:00", re.ASCII)


def decode_value(text: str, column_type: ColumnType) -> object:
    """Parses the text of a value; `ValueError` when it is not the text of a value of that type.

    A TIMESTAMP becomes an aware datetime, but stays RFC 3339 text when its fraction is finer than a microsecond.
    """
    decode = _DECODERS.get(column_type.kind)
    if decode is None:
        raise ValueError(f"a {column_type.kind} has no order")
    return decode(text)


def encode_value(value: object, column_type: ColumnType) -> str:
    """The text of a key's value, as `plain_text` writes it for a column. `ValueError` for kinds that cannot be keys."""
    match value, column_type.kind:
        case _, Kind.TEXT | Kind.UUID:
            return str(value)
        case int(), Kind.INTEGER | Kind.BIGINT:
            return str(value)
        case int(), Kind.H3:
            return f"{value:015x}"
        case datetime(), Kind.TIMESTAMP:
            return _instant_text(value)
        case date(), Kind.DATE:
            return value.isoformat()
        case _:
            raise ValueError(f"a {column_type.kind} is no key to join by")


def _instant_text(value: datetime) -> str:
    text = value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    return f"{text.rstrip('0').rstrip('.')}+00:00"


def _integer(text: str) -> int:
    value = int(_matched(_INTEGER, text))
    if not -(2**63) <= value < 2**64:
        raise ValueError("out of range")
    return value


def _float(text: str) -> float:
    value = float(text)
    if value != value:
        raise ValueError("NaN has no order")
    return value


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("not a boolean")
    return text == "true"


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(_matched(_DECIMAL, text))
    except InvalidOperation as error:
        raise ValueError("not a number") from error


def _timestamp(text: str) -> datetime | str:
    value = datetime.fromisoformat(_matched(_TIMESTAMP, text)).astimezone(UTC)
    return text if len(text) > len("2024-01-01T00:00:00.123456+00:00") else value


def _matched(pattern: re.Pattern[str], text: str) -> str:
    if pattern.fullmatch(text) is None:
        raise ValueError("malformed")
    return text


_DECODERS: dict[Kind, Callable[[str], object]] = {
    Kind.BOOLEAN: _boolean,
    Kind.INTEGER: _integer,
    Kind.BIGINT: _integer,
    Kind.FLOAT: _float,
    Kind.NUMERIC: _decimal,
    Kind.TEXT: str,
    Kind.UUID: lambda text: UUID(_matched(_UUID, text)),
    Kind.DATE: date.fromisoformat,
    Kind.TIMESTAMP: _timestamp,
    Kind.H3: lambda text: int(_matched(_H3, text), 16),
}
SORTABLE = frozenset(_DECODERS)
"""The kinds that have an order and so may occur in `orderBy` and in a cursor."""
