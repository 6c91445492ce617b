"""JSON as clients send it, whole numbers of more than 64 bits too, which would become doubles near them."""

import json
import re
from typing import Any

import orjson

_LONG = re.compile(rb"[0-9]{19}")


def exact_json(text: bytes) -> Any:
    """`json.JSONDecodeError` for what is none. What no 64 bits hold is read a second time, by the slower reader."""
    value = orjson.loads(text)
    if _LONG.search(text) is None:
        return value
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise json.JSONDecodeError("a number is too long, or stands too deep", "", 0) from None
