"""JSON numbers that a double cannot represent, kept with their text for the stores that compare and hold
them exactly.
"""

import json
from typing import Any


class Exact(float):
    """The double nearest to a number whose exact value is `text`, which is also its `repr`.

    Code that takes doubles accepts it; `exact_text`, `repr` and `Decimal(str(...))` give the exact number.
    """

    __slots__ = ("text",)

    text: str

    def __new__(cls, text: str) -> "Exact":
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __repr__(self) -> str:
        return self.text

    __str__ = __repr__


def exact_number(text: str) -> float:
    """Parses a JSON number with a point or an exponent: a plain float if that prints the same, else `Exact`."""
    plain = float(text)
    return plain if repr(plain) == text else Exact(text)


def exact_text(value: Any, *, ascii_only: bool = False) -> str:
    """Compact JSON with each number as it was sent. `RecursionError` for values nested deeper than Python's recursion
    limit.
    """
    match value:
        case Exact():
            return value.text
        case dict():
            entries = (
                f"{exact_text(str(key), ascii_only=ascii_only)}:{exact_text(below, ascii_only=ascii_only)}"
                for key, below in value.items()
            )
            return "{" + ",".join(entries) + "}"
        case list() | tuple():
            return "[" + ",".join(exact_text(item, ascii_only=ascii_only) for item in value) + "]"
        case _:
            return json.dumps(value, ensure_ascii=ascii_only)
