"""Whole numbers of any length are what they were; everything else is as the fast reader has it."""

import json
from typing import Any

import pytest

from gateway.http.exact import exact_json

READ: list[tuple[bytes, Any]] = [
    (b"[9223372036854775807, -9223372036854775808, 18446744073709551615]", [2**63 - 1, -(2**63), 2**64 - 1]),
    (b"[18446744073709551616, -9223372036854775809]", [2**64, -(2**63) - 1]),
    (b'{"n": 12345678901234567890123}', {"n": 12345678901234567890123}),
    (
        b'{"text": "12345678901234567890123", "n": 0.1, "e": 1e3}',
        {"text": "12345678901234567890123", "n": 0.1, "e": 1e3},
    ),
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
    b"",
]


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: repr(text)[:40])
def test_refused(text: bytes) -> None:
    with pytest.raises(json.JSONDecodeError):
        exact_json(text)
