"""Columns of joined tables multiply no row on any engine: orders and their line items, compared with Python."""

from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa
import pytest

from loaders.columnar.connection import read_connection
from loaders.description import Column, ColumnType, Kind, Table
from loaders.ledger import Ledger
from loaders.read import Aggregate, AggregateFunction, Col, Compare, Connection, Joined, Measure, Op, Read
from loaders.warehouses.base import Warehouse
from tests.conformance.rows import comparable
from tests.conformance.subject import Subject, background_source

ORDERS = pa.table(
    {
        "id": pa.array([1, 2, 3, 4, 5], pa.int32()),
        "region": pa.array(["n", "s", None, "x", "n"]),
        "total": pa.array([Decimal(10), Decimal(20), Decimal(40), Decimal(80), Decimal(160)], pa.decimal128(18, 4)),
    }
)
ITEMS = pa.table(
    {
        "order_id": pa.array([1, 1, 1, 2, 2, 3, 5, None], pa.int64()),
        "flag": pa.array(["R", "A", None, "A", "A", None, "R", "R"]),
        "quantity": pa.array([1, 2, 3, 4, 5, 6, 7, 8], pa.int32()),
    }
)
REGIONS = pa.table({"code": ["n", "n", "s", "w", None], "name": ["north", "north", "south", "west", "none"]})
TEXT, COUNT = ColumnType(Kind.TEXT), ColumnType(Kind.INTEGER)
SUM = Measure(AggregateFunction.SUM, Col("total"))


@pytest.fixture(scope="module")
async def tables(subject: Subject) -> AsyncIterator[dict[str, Table]]:
    named = {"orders": ORDERS, "items": ITEMS, "regions": REGIONS}
    for name, rows in named.items():
        await subject.load(name, rows)
    warehouse = subject.open()
    yield {name: await warehouse.describe(name, ledger=Ledger()) for name in named}
    await warehouse.close()
    for name in named:
        await subject.drop(name)


async def test_joined_columns(tables: dict[str, Table], warehouse: Warehouse) -> None:
    orders, items = tables["orders"], tables["items"]
    to_items = (("id", "order_id"),)
    region = Joined(tables["regions"], (("region", "code"),), (("region.name", Col("name")),), variants="region.")
    found = await groups(warehouse, orders, region, "region.name", SUM, Measure(AggregateFunction.MAX, Col("region.")))
    assert found == {"north": [170, 1], "south": [20, 1], None: [120, 0]}, "equal rows are one"

    flag = Joined(items, to_items, (("flag", Col("flag")),), variants="flags")
    found = await groups(warehouse, orders, flag, None, SUM, Measure(AggregateFunction.MAX, Col("flags")))
    assert found == {None: [310, 3]}, "the order of three flags is told, and no total is inflated"

    narrowed = replace(flag, where=Compare(Col("flag"), Op.EQ, "R"))
    found = await groups(warehouse, orders, narrowed, "flag", SUM, Measure(AggregateFunction.MAX, Col("flags")))
    assert found == {"R": [170, 1], None: [140, 0]}

    counts = Joined(
        items,
        to_items,
        (("items.n", Measure(AggregateFunction.COUNT)), ("items.q", Measure(AggregateFunction.SUM, Col("quantity")))),
    )
    found = await groups(warehouse, orders, counts, "items.n", SUM, Measure(AggregateFunction.SUM, Col("items.q")))
    assert found == {0: [80, None], 1: [200, 13], 2: [20, 9], 3: [10, 6]}

    each = replace(flag, variants=None)
    found = await groups(warehouse, orders, each, "flag", Measure(AggregateFunction.COUNT_DISTINCT, Col("region")))
    expected: dict[str | None, set[str | None]] = defaultdict(set)
    for id_, of in zip(ORDERS["id"].to_pylist(), ORDERS["region"].to_pylist(), strict=True):
        met = [f for o, f in zip(ITEMS["order_id"].to_pylist(), ITEMS["flag"].to_pylist(), strict=True) if o == id_]
        for value in met or [None]:
            expected[value] |= {of} - {None}
    assert found == {value: [len(regions)] for value, regions in expected.items()}


async def groups(
    warehouse: Warehouse, table: Table, joined: Joined, by: str | None, *measures: Measure
) -> dict[Any, list[Any]]:
    """The measures of each group, by its key."""
    columns = [
        *(
            Column(name, COUNT if name == "items.n" else ColumnType(Kind.BIGINT) if name == "items.q" else TEXT)
            for name, _ in joined.columns
        ),
        *([Column(joined.variants, COUNT)] if joined.variants else []),
    ]
    wide = replace(table, columns=(*table.columns, *columns))
    keys = () if by is None else (Col(by),)
    entries: list[tuple[str, Col | Measure]] = [("key", key) for key in keys]
    entries += [(f"m{n}", measure) for n, measure in enumerate(measures)]
    read = Read(wide, joined=(joined,), connection=Connection((("groups", Aggregate(keys, tuple(entries))),)))
    found = orjson.loads(await read_connection(read, background_source(warehouse), Ledger()))["groups"]
    shown = [(row.get("key"), [row[f"m{n}"] for n in range(len(measures))]) for row in comparable(found)]
    assert len(dict(shown)) == len(shown)
    return dict(shown)
