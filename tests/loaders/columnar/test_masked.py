"""Masked columns in the columnar engines, against a view."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from loaders.columnar.connection import read_connection
from loaders.columnar.stream import stream_arrow
from loaders.denied import unmarked
from loaders.ledger import Ledger
from loaders.read import Nodes, Read
from resolvers.permissions.apply import Mask, Restriction, apply
from tests.loaders.columnar.conftest import ROWS, TABLE
from tests.loaders.columnar.sources import Engine
from tests.loaders.masked import as_view, assert_masked, reads

# Arrays have no null in ClickHouse: schema/mapping/declare.py refuses to guard them.
COLUMNS = tuple(column for column in TABLE.columns if column.name != "tags")
PLAIN = replace(TABLE, columns=COLUMNS)
VIEW = as_view(PLAIN, "the view")


@pytest.fixture
def masked_view(engine: Engine) -> Engine:
    columns = ", ".join(
        f'"{column.name}"'
        if column.name in ("id", "c0")
        else f'CASE WHEN c0 IN (0, 1) THEN "{column.name}" END AS "{column.name}"'
        for column in COLUMNS
    )
    engine.execute(f'CREATE OR REPLACE VIEW "odd ones"."the view" AS SELECT {columns} FROM "odd ones"."the rows"')
    return engine


async def test_a_masked_column_is_that_of_a_view(masked_view: Engine) -> None:
    samples = {
        column.name: [row[column.name] for row in ROWS[:9] if row[column.name] is not None] for column in COLUMNS
    }

    async def run(read: Read) -> Any:
        return orjson.loads(await read_connection(read, masked_view, Ledger()))

    for read in reads(PLAIN, samples):
        await assert_masked(PLAIN, VIEW, "c0", (0, 1), read, run)


@pytest.mark.parametrize("values", [(), (0, 1)])
async def test_a_stream_is_masked(engine: Engine, values: tuple[int, ...]) -> None:
    (everything, *_) = reads(PLAIN, {})
    masks = tuple(Mask(column.name, "c0", values) for column in COLUMNS if column.name not in ("id", "c0"))
    guarded = apply(everything, {PLAIN: Restriction(None, masks)})
    assert guarded.connection is not None
    ((_, nodes), *_) = guarded.connection.entries
    assert isinstance(nodes, Nodes)
    rows = [
        row
        async for batch in stream_arrow(Read(PLAIN, fields=unmarked(nodes.fields)), engine, Ledger())
        for row in batch.to_pylist()
    ]
    assert len(rows) == len(ROWS)
    assert list(rows[0]) == [column.name for column in COLUMNS]
    for row in rows:
        shown = {name for name, value in row.items() if value is not None} - {"id", "c0"}
        assert bool(shown) == (row["c0"] in values)
