"""Random rows of the test's tables: nulls, empty lists, odd texts, numbers at their limits, instants before 1970."""

import random
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

from tests.differential.tables import ITEMS, LABELS, MARKS, NOTES, SORTS, TONES, TRACES

Row: TypeAlias = dict[str, Any]
Data: TypeAlias = Mapping[str, list[Row]]
"""Rows by the name of their table."""

TEXTS = [
    "",
    "a",
    "A",
    "ab",
    "a%b",
    "a_b",
    "a\\b",
    "\\",
    "b",
    "é",
    "E\u0301",
    "日本 😀",
    "\u2028\u2029\ufeff",
    "\uffff\U0010ffff",
    "tab\tnew\nline\x01\x7f",
    'quo"te',
    "it's",
    "null",
    "{}",
    "x" * 300,
]
TEAMS = ["red", "blue", "green", "grey"]
TONE_WORDS = [*TONES.values(), *TONES.values(), "shrill", ""]
"""The last two are no members."""
INTEGERS = [0, 1, -1, 2, 3, 2**31 - 1, -(2**31)]
BIGS = [0, 1, -1, 7, 2**53 + 1, 2**63 - 1, -(2**63)]
PRICES = [
    Decimal("0"),
    Decimal("0.25"),
    Decimal("-0.5000"),
    Decimal("1E-30"),
    Decimal("1" + "0" * 59 + "1"),
    Decimal("12345678901234567890.123456789012345678901234567890"),
    Decimal("-7.1"),
]
RATIOS = [0.0, 0.25, -1.5, 3.0, 1024.0, -0.125]
INSTANTS = [
    datetime(1931, 7, 1, 0, 0, 0, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2024, 3, 31, 0, 59, 59, 500_000, tzinfo=UTC),
    datetime(2024, 3, 31, 1, tzinfo=UTC),
    datetime(2024, 10, 27, 0, 30, tzinfo=UTC),
    datetime(2024, 10, 27, 1, 30, tzinfo=UTC),
    datetime(2026, 1, 1, 12, 0, 0, 120_000, tzinfo=UTC),
]
DAYS = [date(1970, 1, 1), date(2024, 2, 29), date(2024, 12, 30), date(2025, 1, 1)]
DOCS: list[Any] = [
    {},
    [],
    "text",
    0,
    False,
    {"a": [1, {"b": None}], "😀": 'quo"te\n\u2028', "n": 12345678901234567890123, "x": 0.1},
    {"a": 1, "name": "日本", "deep": {"er": {"est": [True, [], {}]}}},
    [1, 2, "a", [3]],
]
TAGS = [[], ["a"], ["a", "b", "a"], ["it's", 'quo"te,{}', "日本", "NULL", ""]]
MOODS = [[1, 0, 0], [2, 0, 0], [0, 1, 0], [1, 1, 0], [1, 0, -1], [-1, 0, 0], [1, 2, 2], [-3, 1, 0]]
"""Vectors whose similarity to an axis is the same to the last bit where it is the same by algebra."""
_ITEMS, _SORTS, _LABELS, _NOTES, _MARKS, _TRACES = 18, 4, 4, 24, 16, 30


def random_rows(seed: int) -> Data:
    """The same rows for the same seed. Few distinct values, so that keys meet, groups have members and orders ties."""
    chance = random.Random(seed)
    ids = [UUID(int=chance.getrandbits(128)) for _ in range(_ITEMS)]
    codes = chance.sample(TEXTS[1:-1], _LABELS)
    return {
        SORTS.name: [_sort(chance, number) for number in chance.sample(BIGS, _SORTS)],
        LABELS.name: [
            {"code": code, "title": _maybe(chance, TEXTS), "weight": _maybe(chance, PRICES)} for code in codes
        ],
        ITEMS.name: [_item(chance, place, ids, codes) for place in range(_ITEMS)],
        NOTES.name: _notes(chance, ids),
        MARKS.name: _marks(chance, ids),
        TRACES.name: [_trace(chance, ids) for _ in range(_TRACES)],
    }


def _maybe(chance: random.Random, values: list[Any]) -> Any:
    return None if chance.random() < 0.2 else chance.choice(values)


def _sort(chance: random.Random, key: int) -> Row:
    return {
        "id": key,
        "title": _maybe(chance, TEXTS),
        "rank": _maybe(chance, [1, 2]),
        "owner_id": _maybe(chance, [7, 8]),
    }


def _item(chance: random.Random, place: int, ids: list[UUID], codes: list[str]) -> Row:
    coordinates = [chance.choice([-179.5, -6.25, 0.0, 6.5, 170.25]), chance.choice([-45.5, 0.0, 46.25])]
    return {
        "id": ids[place],
        "n": _maybe(chance, INTEGERS),
        "big": _maybe(chance, BIGS),
        "price": _maybe(chance, PRICES),
        "ratio": _maybe(chance, RATIOS),
        "name": _maybe(chance, TEXTS),
        "flag": _maybe(chance, [True, False]),
        "day": _maybe(chance, DAYS),
        "at": chance.choice(INSTANTS),
        "seen": _maybe(chance, INSTANTS),
        "doc": _maybe(chance, DOCS),
        "tags": _maybe(chance, TAGS),
        "bigs": _maybe(chance, [[], [2**63 - 1, -(2**63)], [0]]),
        "raw": _maybe(chance, [b"", bytes(range(256)), b"\xff" * 100]),
        "place": _maybe(chance, [{"type": "Point", "coordinates": coordinates}]),
        "mood": _maybe(chance, MOODS),
        "parent_id": chance.choice([None, *ids]),
        "sort_id": _maybe(chance, BIGS),
        "label_code": _maybe(chance, [*codes, "no such code"]),
        "team": _maybe(chance, TEAMS),
        "tone": _maybe(chance, TONE_WORDS),
    }


def _notes(chance: random.Random, ids: list[UUID]) -> list[Row]:
    keys = {(chance.choice(ids[:9]), chance.randrange(5)) for _ in range(_NOTES)}
    return [
        {
            "item_id": item,
            "place": place,
            "body": _maybe(chance, TEXTS),
            "stars": _maybe(chance, [1, 2, 3]),
            "written_on": _maybe(chance, DAYS),
        }
        for item, place in sorted(keys)
    ]


def _marks(chance: random.Random, ids: list[UUID]) -> list[Row]:
    """Most of them share their id with others."""
    keys = {(chance.randrange(4), chance.choice(INSTANTS)) for _ in range(_MARKS)}
    return [
        {"id": id_, "at": at, "item_id": _maybe(chance, ids[:6]), "colour": _maybe(chance, TEXTS[:4])}
        for id_, at in sorted(keys)
    ]


def _trace(chance: random.Random, ids: list[UUID]) -> Row:
    return {
        "id": UUID(int=chance.getrandbits(128)),
        "item_id": _maybe(chance, [*ids[:12], UUID(int=5)]),
        "at": chance.choice(INSTANTS),
        "speed": _maybe(chance, RATIOS),
        "hits": chance.choice(INTEGERS),
        "total": _maybe(chance, BIGS),
        "name": _maybe(chance, TEXTS),
        "day": _maybe(chance, DAYS),
        "flag": chance.choice([True, False]),
        "team": _maybe(chance, TEAMS),
        "tone": _maybe(chance, TONE_WORDS),
        "tags": chance.choice(TAGS),
    }
