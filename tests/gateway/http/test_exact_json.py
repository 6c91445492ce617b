"""Numbers of any length are what they were; everything else is as the fast reader has it."""

import json
from typing import Any

import pytest

from gateway.http.exact_json import NumberRefused, exact_json
from loaders.encode.number import Exact

READ: list[tuple[bytes, Any]] = [
    (b"[9223372036854775807, -9223372036854775808, 18446744073709551615]", [2**63 - 1, -(2**63), 2**64 - 1]),
    (b"[18446744073709551616, -9223372036854775809]", [2**64, -(2**63) - 1]),
    (b'{"n": 12345678901234567890123}', {"n": 12345678901234567890123}),
    (
        b'{"text": "12345678901234567890123", "n": 0.1, "e": 1e3}',
        {"text": "12345678901234567890123", "n": 0.1, "e": Exact("1e3")},
    ),
    (
        b"[0.12345678901234567890, -1234567890.123456789, 1E-400, 9007199254740993.0]",
        [*map(Exact, ("0.12345678901234567890", "-1234567890.123456789", "1E-400", "9007199254740993.0"))],
    ),
    (
        b"[0.30000000000000004, 1.50, 2.2250738585072014e-308]",
        [0.30000000000000004, Exact("1.50"), 2.2250738585072014e-308],
    ),
    (b"[0.30000000000000004,1.5000000000000000]", [0.30000000000000004, Exact("1.5000000000000000")]),
    (b"0.12345678901234567890", Exact("0.12345678901234567890")),
    (b'{"a": 1, "a": 12345678901234567890123}', {"a": 12345678901234567890123}),
]


@pytest.mark.parametrize(("text", "value"), READ)
def test_read(text: bytes, value: Any) -> None:
    assert repr(exact_json(text)) == repr(value)


REFUSED = [
    b"[12345678901234567890123, NaN]",
    b"[12345678901234567890123, Infinity]",
    b'[12345678901234567890123, "\\ud800"]',
    b"[12345678901234567890123",
    b"9" * 5_000,
    b"[" * 1_020 + b"12345678901234567890123" + b"]" * 1_020,
    b"1e400",
    b"[0.12345678901234567890, 1e400]",
    b"",
]


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: repr(text)[:40])
def test_refused(text: bytes) -> None:
    with pytest.raises(json.JSONDecodeError):
        exact_json(text)


@pytest.mark.parametrize("text", [b"9" * 310, b"[-1e309]", b'{"n": ' + b"9" * 5_000 + b"}"], ids=len)
def test_a_number_that_no_double_comes_near_is_told_as_one(text: bytes) -> None:
    with pytest.raises(NumberRefused, match="beyond the doubles"):
        exact_json(text)
