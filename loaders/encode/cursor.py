"""The opaque keyset cursor: base64url of a JSON array of the list's mark and the text of each order term's value.

A null value is null. Only the store that made a cursor can compare it, and only for the list and order it was made for,
which the mark identifies. Bytes that are not UTF-8 are encoded as lone surrogates (PEP 383), so paging over such a
column loses no row.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from loaders.description import ColumnType, Kind
from loaders.encode import base64url
from loaders.encode.value import decode_value
from loaders.errors import InvalidCursor

MAX_LENGTH = 65_536  # characters
_MARK_BYTES = 6
_DAY = r"-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIME = r"T([01][0-9]|2[0-3])(:[0-5][0-9]){2}(\.[0-9]{1,6})?\+00:00"
_STORE_TEXT = {
    Kind.FLOAT: re.compile("NaN"),
    Kind.NUMERIC: re.compile(r"NaN|-?Infinity|-?[0-9]+(\.[0-9]+)?"),
    Kind.DATE: re.compile(rf"-?infinity|[1-9][0-9]{{4,6}}{_DAY}|[0-9]{{4}}{_DAY} BC"),
    Kind.TIMESTAMP: re.compile(rf"-?infinity|[1-9][0-9]{{4,5}}{_DAY}{_TIME}|[0-9]{{4}}{_DAY}{_TIME} BC"),
}
"""How Postgres writes values that Python has no counterpart for."""


class StoreText(str):
    """The text of a value that only its own store can read, such as an infinite instant or a year before 1."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class CursorForm:
    """The expected content of a cursor for one list in one order: the mark (`list_mark`), then a value of each type, or
    null.
    """

    mark: str
    types: tuple[ColumnType, ...]


def list_mark(spelled: str) -> str:
    """Eight characters that identify a list and its order. They are base64url, so neither JSON nor SQL needs to escape
    them.
    """
    return base64url.encode(hashlib.sha256(spelled.encode()).digest()[:_MARK_BYTES])


def encode_cursor(terms: Sequence[str | None], mark: str) -> str:
    return base64url.encode(json.dumps([mark, *terms], separators=(",", ":")).encode("ascii"))


def decode_cursor(cursor: str, form: CursorForm) -> tuple[object, ...]:
    """Decodes one value (or None) per order term.

    `InvalidCursor` for the cursor of another list or order, and for anything that `encode_cursor` cannot have returned.
    """
    try:
        if len(cursor) > MAX_LENGTH:
            raise InvalidCursor(
                f"The cursor has more than {MAX_LENGTH} characters: what the list is ordered by is too long for one."
                " Order it by another column."
            )
        mark, *terms = _array(json.loads(base64url.decode(cursor)))
        if isinstance(mark, str) and mark != form.mark and len(mark) == len(form.mark):
            raise InvalidCursor(
                "The cursor is one of another list or of another `orderBy` (or `select`). Pass one from `pageInfo` of"
                " this list in this order, or start without a cursor."
            )
        if mark != form.mark or len(terms) != len(form.types):
            raise ValueError("not one term per order")
        return tuple(_term(term, column_type) for term, column_type in zip(terms, form.types, strict=True))
    except (ValueError, RecursionError) as error:
        raise InvalidCursor(
            "The cursor is malformed. Pass one exactly as `pageInfo` of the same query had it."
        ) from error


def decoded_terms(terms: Sequence[str | None], types: Sequence[ColumnType]) -> tuple[object, ...] | None:
    """The values of a row's order terms; None when one of them has no counterpart in Python."""
    try:
        values = tuple(_term(term, column_type) for term, column_type in zip(terms, types, strict=True))
    except ValueError:
        return None
    return None if any(isinstance(value, StoreText) for value in values) else values


def _array(decoded: object) -> list[object]:
    if not isinstance(decoded, list) or not decoded:
        raise ValueError("not an array with a mark")
    return decoded


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
