"""JSON numbers that a double may not be: kept with their text, for the stores that compare and hold them exactly."""

import json
from typing import Any


class Exact(float):
    """The double next to a number, which is itself `text`: that is also how it is printed.

    Whatever takes doubles takes it for one; `exact_text`, `repr` and `Decimal(str(...))` have the number itself.
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
    """Of a JSON number with a point or an exponent: a plain float where that is printed so, else `Exact`."""
    plain = float(text)
    return plain if repr(plain) == text else Exact(text)


def exact_text(value: Any, *, ascii_only: bool = False) -> str:
    """Compact JSON, each number as it was sent. `RecursionError` for what is nested deeper than Python walks."""
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
