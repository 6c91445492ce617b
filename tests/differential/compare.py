"""The gateway's answer beside the oracle's: value for value, and key for key in order."""

import math
from typing import Any

from tests.differential.oracle.shown import Cursor, Estimate, Loose

_PRECISION = 1e-9


class Differs(AssertionError):
    """Where, and what stands on each side."""


def compare(ours: Any, expected: Any, cursors: dict[str, Cursor], path: str = "data") -> None:
    """Raises `Differs`. Notes which row each cursor of the answer stands for."""
    match expected:
        case dict():
            _require(isinstance(ours, dict) and list(ours) == list(expected), path, ours, expected)
            for key, value in expected.items():
                compare(ours[key], value, cursors, f"{path}.{key}")
        case list():
            _require(isinstance(ours, list) and len(ours) == len(expected), path, ours, expected)
            for place, value in enumerate(expected):
                compare(ours[place], value, cursors, f"{path}[{place}]")
        case Cursor():
            _require(isinstance(ours, str) and cursors.setdefault(ours, expected) == expected, path, ours, expected)
        case Estimate():
            near = isinstance(ours, int | float) and math.isclose(
                ours, expected, rel_tol=_PRECISION, abs_tol=_PRECISION
            )
            _require(near, path, ours, expected)
        case Loose(value):
            _require(_exactly(ours, value), path, ours, value)
        case _:
            _require(_exactly(ours, expected), path, ours, expected)


def _exactly(left: Any, right: Any) -> bool:
    """Objects whatever the order of their keys; true is not 1."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_exactly(left[name], right[name]) for name in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_exactly, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _require(holds: bool, path: str, ours: Any, expected: Any) -> None:
    if not holds:
        raise Differs(f"at {path}\n  answered {ours!r}\n  expected {expected!r}")
