"""The opaque keyset cursor: base64url of a JSON array with the text of each order term's value, null for null.

Only the store that wrote a cursor may compare it. Text that is not UTF-8 travels as lone surrogates (PEP 383), so a
page walk over such a column loses no row.
"""

import json
import re
from collections.abc import Sequence

from loaders.description import ColumnType, Kind
from loaders.encode import base64url
from loaders.encode.value import decode_value
from loaders.errors import InvalidCursor

MAX_LENGTH = 65_536  # characters
_DAY = r"-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIME = r"T([01][0-9]|2[0-3])(:[0-5][0-9]){2}(\.[0-9]{1,6})?\+00:00"
_STORE_TEXT = {
    Kind.FLOAT: re.compile("NaN"),
    Kind.NUMERIC: re.compile(r"NaN|-?Infinity|-?[0-9]+(\.[0-9]+)?"),
    Kind.DATE: re.compile(rf"-?infinity|[1-9][0-9]{{4,6}}{_DAY}|[0-9]{{4}}{_DAY} BC"),
    Kind.TIMESTAMP: re.compile(rf"-?infinity|[1-9][0-9]{{4,5}}{_DAY}{_TIME}|[0-9]{{4}}{_DAY}{_TIME} BC"),
}
"""What Postgres writes of values that Python has no counterpart for."""


class StoreText(str):
    """The text of a value that only the store which wrote it can read: infinite instants, years before 1, ..."""

    __slots__ = ()


def encode_cursor(terms: Sequence[str | None]) -> str:
    return base64url.encode(json.dumps(terms, separators=(",", ":")).encode("ascii"))


def decode_cursor(cursor: str, types: Sequence[ColumnType]) -> tuple[object, ...]:
    """One value (or None) per order term. `InvalidCursor` for anything that `encode_cursor` cannot have written."""
    try:
        if len(cursor) > MAX_LENGTH:
            raise ValueError("too long")
        terms = json.loads(base64url.decode(cursor))
        if not isinstance(terms, list) or len(terms) != len(types):
            raise ValueError("not one term per order")
        return tuple(_term(term, column_type) for term, column_type in zip(terms, types, strict=True))
    except (ValueError, RecursionError) as error:
        message = "The cursor does not belong to this list and order. Pass one from `pageInfo` of the same query."
        raise InvalidCursor(message) from error


def _term(term: object, column_type: ColumnType) -> object:
    if term is None:
        return None
    if not isinstance(term, str):
        raise ValueError("not text")
    try:
        term.encode("utf-8", "surrogateescape")
        return decode_value(term, column_type)
    except ValueError:
        spelled = _STORE_TEXT.get(column_type.kind)
        if spelled is None or spelled.fullmatch(term) is None:
            raise
        return StoreText(term)
