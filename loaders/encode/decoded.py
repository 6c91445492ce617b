"""Parses an answer's JSON text to Python values that encode to the same text again, so that other stores' answers can
be joined in.
"""

import json
from typing import Any

import orjson

from loaders.description import Kind
from loaders.read import Col, Computed, Masked, Output, Read, Related

_INT64_DIGITS = 18


def decoded(text: str | bytes, *, exact: bool) -> Any:
    """`exact` is for answers with JSON columns: their numbers may have more digits than a double or an int64 holds, and
    are kept as text (`orjson.Fragment`). The numbers of all other columns are doubles and small integers.
    """
    if not exact:
        return orjson.loads(text)
    return json.loads(text, parse_float=_verbatim, parse_int=_integer)


def shows_json(read: Read) -> bool:
    """Whether a column of kind JSON is anywhere in the read's answer, so that it has to be decoded exactly."""
    return any(_shows_json(field.output, read) for _, fields in read.shown() for field in fields)


def _shows_json(output: Output, read: Read) -> bool:
    match output:
        case Computed(Col(name) | Masked(Col(name))):
            return read.table.column(name).type.kind is Kind.JSON
        case Related(_, below):
            return shows_json(below)
        case _:
            return False


def _verbatim(number: str) -> orjson.Fragment:
    return orjson.Fragment(number)


def _integer(number: str) -> int | orjson.Fragment:
    return int(number) if len(number) <= _INT64_DIGITS else orjson.Fragment(number)
