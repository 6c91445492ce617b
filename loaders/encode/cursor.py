"""The opaque keyset cursor: base64url of a JSON array with the text of each order term's value, null for null.

Only the store that wrote a cursor may compare it. Text that is not UTF-8 travels as lone surrogates (PEP 383), so a
page walk over such a column loses no row.
"""

import json
from collections.abc import Sequence

from loaders.description import ColumnType
from loaders.encode import base64url
from loaders.encode.value import decode_value
from loaders.errors import InvalidCursor

MAX_LENGTH = 65_536  # characters


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
    return decode_value(term, column_type)
