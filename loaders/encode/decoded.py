"""An answer's JSON text as Python values that encode to the same text again, for other stores' answers to join."""

import json
from typing import Any

import orjson

_INT64_DIGITS = 18


def decoded(text: str | bytes, *, exact: bool) -> Any:
    """`exact` for answers with JSON columns: a number in them may have more digits than a double or an int64 holds, and
    stays its own text (`orjson.Fragment`). All other columns' numbers are doubles and small integers.
    """
    if not exact:
        return orjson.loads(text)
    return json.loads(text, parse_float=_verbatim, parse_int=_integer)


def _verbatim(number: str) -> orjson.Fragment:
    return orjson.Fragment(number)


def _integer(number: str) -> int | orjson.Fragment:
    return int(number) if len(number) <= _INT64_DIGITS else orjson.Fragment(number)
