"""Parses JSON from clients without rounding numbers: some need more than 64 bits or have more digits than a double."""

import json
from typing import Any

import orjson

from loaders.encode.number import exact_number

_FORMS = bytes.maketrans(b"0123456789.eE", b"00000000000ee")
_LONG, _TINY = b"0" * 17, b"0e-000"
"""Of these forms are numbers that may be such: of 16 digits or more, or with an exponent of -100 or less."""


class NumberRefused(json.JSONDecodeError):
    """The JSON holds a number that is not accepted. `msg` is a sentence about it."""


def exact_json(text: bytes) -> Any:
    """The parsed JSON, in which numbers that a double would round are `Exact` or `int`. Texts that may hold such
    numbers are parsed a second time, by the slower parser.

    Raises `json.JSONDecodeError` for what is not JSON, and `NumberRefused` for numbers beyond the range of doubles.
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
        raise NumberRefused("A number has too many digits, or is nested too deeply.", "", 0) from None


def _is_written_so(value: Any, text: bytes) -> bool:
    """Whether a double loses nothing of the number as it is written, so that vectors of doubles avoid the slower
    parser.
    """
    try:
        return orjson.dumps(value) == text
    except TypeError:  # nested deeper than it writes
        return False
