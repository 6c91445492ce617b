"""The tables that every connector is tested with."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from tests.loaders.buckets import DATES, INSTANTS
from tests.loaders.columnar.conftest import ROWS as ODD_ROWS

EVERY_TYPE = pa.table(
    {
        "id": pa.array([1, 2, 3, 4], pa.int32()),
        "flag": pa.array([True, False, None, True]),
        "big": pa.array([2**53 + 1, -(2**63), None, 2**63 - 1], pa.int64()),
        "unsigned": pa.array([0, 2**64 - 1, None, 5], pa.uint64()),
        "ratio": pa.array([0.1, -1.5e300, None, float("nan")]),
        "exact": pa.array(
            [Decimal("0.1000"), Decimal("-1234567890123456.7891"), None, Decimal(0)], pa.decimal128(20, 4)
        ),
        "text": pa.array(["plain", "quote ' \" \\ ü 漢 🛰", None, ""]),
        "day": pa.array([date(1969, 12, 31), date(2024, 2, 29), None, date(2100, 1, 1)]),
        "at": pa.array(
            [
                datetime(2024, 10, 27, 0, 30, tzinfo=UTC),
                datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
                None,
                datetime(2024, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC),
            ],
            pa.timestamp("us", "UTC"),
        ),
        "numbers": pa.array([[1, 2], [], [], [-3]], pa.list_(pa.int64())),
        "words": pa.array([["a'b", 'c"d'], [], [], ["é"]], pa.list_(pa.string())),
    }
)

EVERY_TYPE_JSON: list[dict[str, Any]] = [
    {
        "id": 1,
        "flag": True,
        "big": "9007199254740993",
        "unsigned": "0",
        "ratio": 0.1,
        "exact": "0.1000",
        "text": "plain",
        "day": "1969-12-31",
        "at": "2024-10-27T00:30:00+00:00",
        "numbers": ["1", "2"],
        "words": ["a'b", 'c"d'],
    },
    {
        "id": 2,
        "flag": False,
        "big": "-9223372036854775808",
        "unsigned": "18446744073709551615",
        "ratio": -1.5e300,
        "exact": "-1234567890123456.7891",
        "text": "quote ' \" \\ ü 漢 🛰",
        "day": "2024-02-29",
        "at": "1999-12-31T23:59:59.999999+00:00",
        "numbers": [],
        "words": [],
    },
    {
        "id": 3,
        "flag": None,
        "big": None,
        "unsigned": None,
        "ratio": None,
        "exact": None,
        "text": None,
        "day": None,
        "at": None,
        "numbers": [],
        "words": [],
    },
    {
        "id": 4,
        "flag": True,
        "big": "9223372036854775807",
        "unsigned": "5",
        "ratio": None,
        "exact": "0.0000",
        "text": "",
        "day": "2100-01-01",
        "at": "2024-01-01T00:00:00.5+00:00",
        "numbers": ["-3"],
        "words": ["é"],
    },
]
"""`EVERY_TYPE` as the API shows it: NaN is null, big integers and decimals are strings."""

NO_ROWS = pa.table({"id": pa.array([], pa.int32()), "text": pa.array([], pa.string())})

LARGE_ROWS = 200_000
LARGE = pa.table(
    {
        "id": pa.array(range(LARGE_ROWS), pa.int64()),
        "text": pa.array([f"row {number} ".ljust(200, "x") for number in range(LARGE_ROWS)]),
    }
)

ODD_NAME = 'naïve "quoted" `table`\'s -- ;%20'
ODD_NAMES = pa.table({'a "b" é': pa.array([1], pa.int32()), "c'd`e": pa.array(["x"]), "select": pa.array(["y"])})

MIXED = pa.table(
    {
        "id": pa.array(range(len(ODD_ROWS)), pa.int32()),
        "c0": pa.array([row["c0"] for row in ODD_ROWS], pa.int32()),  # the name of an output column, too
        "big": pa.array([row["big"] for row in ODD_ROWS], pa.int64()),
        "ratio": pa.array([row["ratio"] for row in ODD_ROWS], pa.float64()),
        "price": pa.array([row["price"] for row in ODD_ROWS], pa.decimal128(18, 4)),
        "name": pa.array([row["name"] for row in ODD_ROWS], pa.string()),
        "flag": pa.array([row["flag"] for row in ODD_ROWS], pa.bool_()),
        "day": pa.array([row["day"] for row in ODD_ROWS], pa.date32()),
        "at": pa.array([row["at"] for row in ODD_ROWS], pa.timestamp("us", "UTC")),
    }
)
MIXED_ROWS: list[dict[str, object]] = MIXED.to_pylist()

MOMENTS = pa.table(
    {
        "at": pa.array([*INSTANTS, *(None for _ in DATES)], pa.timestamp("us", "UTC")),
        "day": pa.array([*(None for _ in INSTANTS), *DATES], pa.date32()),
    }
)

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def comparable(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Numbers that are strings as decimals: how many zeros follow the point is the engine's, as is INTEGER or BIGINT.

    And -0.0 is 0.0: which of two equal ones is the least, no engine promises.
    """
    return [{name: _comparable(value) for name, value in row.items()} for row in rows]


def _comparable(value: Any) -> Any:
    match value:
        case bool():
            return value
        case float():
            return value + 0.0
        case int():
            return Decimal(value)
        case str() if _NUMBER.fullmatch(value):
            return Decimal(value)
        case list():
            return [_comparable(item) for item in value]
        case _:
            return value
