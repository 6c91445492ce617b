"""Checks the values of server-side parameters before they are sent, because ClickHouse silently wraps numbers that do
not fit.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal

from loaders.errors import BadInput

_INTEGER = re.compile(
    r"\{\s*(?P<name>\w+)\s*:\s*(?:(?:Array|Nullable)\(\s*)*(?P<sign>U?)Int(?P<bits>8|16|32|64|128|256)\b"
)

_PLAIN = frozenset({int, float, Decimal, str, bytes})
"""Types that contain no other values: a list of them, which may be long, is passed on as it is."""


def checked(sql: str, parameters: Mapping[str, object] | None) -> dict[str, object]:
    """The parameters as clickhouse-connect binds them to the `{name:Type}` of `sql`; tuples become arrays.

    Raises `BadInput` for an integer outside of its type and `ValueError` for a datetime without a zone.
    """
    if not parameters:
        return {}
    bound = {name: _array(value) for name, value in parameters.items()}
    for value in bound.values():
        for leaf in _leaves(value):
            if isinstance(leaf, datetime) and leaf.tzinfo is None:
                raise ValueError("a datetime parameter needs a time zone")
    for match in _INTEGER.finditer(sql):
        bits, signed = int(match["bits"]), not match["sign"]
        low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
        for leaf in _leaves(bound.get(match["name"])):
            if isinstance(leaf, int) and not low <= leaf <= high:
                raise BadInput(f"The number {leaf} is out of range: it must lie between {low} and {high}.")
    return {name: _bindable(value) for name, value in bound.items()}


def _bindable(value: object) -> object:
    """Turns a list of integers into the text that the client would make with one call for each."""
    if isinstance(value, list) and set(map(type, value)) == {int}:
        return f"[{', '.join(map(str, value))}]"
    return value


def _array(value: object) -> object:
    if not isinstance(value, (tuple, list, set, frozenset)):
        return value
    return list(value) if _PLAIN.issuperset(map(type, value)) else [_array(item) for item in value]


def _leaves(value: object) -> Iterator[object]:
    if not isinstance(value, list):
        yield value
    elif _PLAIN.issuperset(map(type, value)):
        yield from value
    else:
        for item in value:
            yield from _leaves(item)
