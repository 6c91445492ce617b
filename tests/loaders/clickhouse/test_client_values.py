"""Values survive a round trip through server-side parameters."""

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest

from loaders.clickhouse.client import ClickHouse
from loaders.clickhouse.parameters import checked
from loaders.errors import BadInput
from loaders.ledger import Ledger

INSTANT = datetime(2024, 2, 29, 1, 2, 3, 123456, tzinfo=UTC)
ID = UUID("018f2b1c-0000-7000-8000-0000000000ff")


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("String", ""),
        ("String", 'it\'s "quoted" `x` \\ back\\slash \\n'),
        ("String", "tab\tnew\nline\rreturn\0nul\b\f"),
        ("String", "\\N"),
        ("String", "NULL"),
        ("String", "{p0:String} ünï 😀 -- /* ; %s"),
        ("Nullable(String)", None),
        ("Nullable(String)", "\\N"),
        ("UUID", ID),
        ("Bool", True),
        ("Bool", False),
        ("Int8", -128),
        ("UInt64", 2**64 - 1),
        ("Int64", -(2**63)),
        ("Float64", 1e-300),
        ("Float64", 0.1),
        ("Float64", math.inf),
        ("Float64", -math.inf),
        ("Decimal(38, 10)", Decimal("-12345678901234567890.0000000001")),
        ("Decimal(38, 10)", Decimal("1E-10")),
        ("Date32", date(1925, 1, 1)),
        ("DateTime64(6, 'UTC')", INSTANT),
        ("DateTime64(6, 'UTC')", INSTANT.astimezone(timezone(timedelta(hours=5, minutes=30)))),
        ("DateTime64(6, 'Asia/Tokyo')", INSTANT),
        ("DateTime64(6)", INSTANT),
        ("Array(String)", ["a'b", "", "\\N", "t\ta\nb\\", "😀"]),
        ("Array(String)", []),
        ("Array(UUID)", [ID, ID]),
        ("Array(UInt64)", [0, 2**64 - 1]),
        ("Array(Nullable(Int64))", [None, -1]),
        ("Array(Decimal(38, 10))", [Decimal("1.5"), Decimal("100")]),
        ("Array(DateTime64(6, 'UTC'))", [INSTANT]),
        ("Array(Bool)", [True, False]),
        ("Array(Array(Float64))", [[0.5], []]),
        ("Array(UInt64)", list(range(20_000))),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_round_trip(client: ClickHouse, ledger: Ledger, type_: str, value: object) -> None:
    spelled = f"toString({{p0:{type_}}})" if type_ == "UUID" else f"{{p0:{type_}}}"
    table = await client.query(f"SELECT {spelled} AS v", {"p0": value}, ledger=ledger)
    expected = str(value) if type_ == "UUID" else value
    assert table["v"][0].as_py() == expected


async def test_not_a_number(client: ClickHouse, ledger: Ledger) -> None:
    sql = "SELECT {p0:Float64} AS one, {p1:Array(Float64)} AS many"
    row = (await client.query(sql, {"p0": math.nan, "p1": [math.nan, 1.0]}, ledger=ledger)).to_pylist()[0]
    assert math.isnan(row["one"])
    assert math.isnan(row["many"][0])
    assert row["many"][1] == 1.0


async def test_tuples_are_arrays(client: ClickHouse, ledger: Ledger) -> None:
    table = await client.query("SELECT has({p0:Array(String)}, 'b') AS v", {"p0": ("a", "b")}, ledger=ledger)
    assert table["v"][0].as_py() == 1


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("Int8", 128),
        ("UInt8", -1),
        ("Int64", 2**63),
        ("UInt64", 2**64),
        ("Array(Int16)", (1, 40_000)),
        ("Nullable(Int32)", 2**31),
    ],
)
def test_numbers_that_do_not_fit(type_: str, value: object) -> None:
    with pytest.raises(BadInput, match="out of range"):
        checked(f"SELECT {{p0: {type_}}}", {"p0": value})


def test_an_instant_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        checked("SELECT {p0:Array(DateTime64(3))}", {"p0": (datetime(2024, 1, 1),)})
