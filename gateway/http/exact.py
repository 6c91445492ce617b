"""JSON as clients send it, with numbers that no double is and no 64 bits hold, which would become others near them."""

import json
from typing import Any

import orjson

from loaders.encode.number import exact_number

_FORMS = bytes.maketrans(b"0123456789.eE", b"00000000000ee")
_LONG, _TINY = b"0" * 17, b"0e-000"
"""Of these forms are numbers that may be such: of 16 digits or more, or with an exponent of -100 or less."""


class NumberRefused(json.JSONDecodeError):
    """JSON, but of a number that is not taken. `msg` is a sentence about it."""


def exact_json(text: bytes) -> Any:
    """`json.JSONDecodeError` for what is none, `NumberRefused` for what holds a number that no double comes near.

    What may hold such numbers is read a second time, by the slower reader.

    Those with a fraction are `Exact`.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if "infinity" not in error.msg:
            raise
        message = "A number is beyond the doubles (1.8e308): send it as a text, where the type takes one."
        raise NumberRefused(message, error.doc, error.pos) from None
    forms = text.translate(_FORMS)
    if (_LONG not in forms and _TINY not in forms) or _is_written_so(value, text):
        return value
    try:
        return json.loads(text, parse_float=exact_number)
    except (ValueError, RecursionError):
        raise NumberRefused("A number is too long, or stands too deep.", "", 0) from None


def _is_written_so(value: Any, text: bytes) -> bool:
    """Whether nothing is lost of it: a vector of doubles, as most programs write it, is none of the slow reader's."""
    try:
        return orjson.dumps(value) == text
    except TypeError:  # nested deeper than it writes
        return False
