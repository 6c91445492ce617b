from dataclasses import replace
from typing import cast
from uuid import UUID

import pyarrow as pa
import pytest

from loaders.columnar.stream import stream_arrow
from loaders.errors import BadInput
from loaders.ledger import Ledger
from loaders.read import Col, Compare, Computed, Field, Literal, Never, NodeId, Op, OrderBy, Page, Read
from tests.loaders.columnar.conftest import ROWS, TABLE
from tests.loaders.columnar.sources import Engine

FIELDS = (
    Field("key", NodeId("Odd", ("id",))),
    *(Field(f"a_{column.name}", Computed(Col(column.name))) for column in TABLE.columns),
    Field("kind", Literal("Odd")),
)


async def _table(engine: Engine, read: Read) -> pa.Table:
    return pa.Table.from_batches([batch async for batch in stream_arrow(read, engine, Ledger())])


async def test_values_are_the_rows_own(engine: Engine) -> None:
    table = await _table(engine, Read(TABLE, FIELDS, order=(OrderBy(Col("at")),)))
    assert table.column_names == [field.key for field in FIELDS]
    assert table.schema.field("a_id").type == pa.uuid()
    assert table.schema.field("a_at").type == pa.timestamp("us", "UTC")
    assert table.schema.field("a_cell").type == pa.uint64()
    by_id = {cast(UUID, row["id"]): row for row in ROWS}
    seen = table.to_pylist()
    assert len(seen) == len(ROWS)
    assert [row["a_at"] for row in seen] == sorted(row["a_at"] for row in seen)
    for row in seen:
        expected = by_id.pop(row["a_id"])
        assert repr({name: row[f"a_{name}"] for name in expected} | {"at": 0}) == repr(expected | {"at": 0})
        assert row["a_at"] == expected["at"]
        assert row["kind"] == "Odd"


@pytest.mark.parametrize("where", [Never(), Compare(Col("c0"), Op.EQ, 99)])
async def test_no_rows_still_have_a_schema(engine: Engine, where: Never | Compare) -> None:
    table = await _table(engine, Read(TABLE, FIELDS, where=where))
    assert table.num_rows == 0
    assert table.column_names == [field.key for field in FIELDS]
    assert table.schema.field("a_id").type == pa.uuid()


async def test_a_limit_only_when_asked(engine: Engine) -> None:
    read = Read(TABLE, FIELDS, page=Page(5), order=(OrderBy(Col("cell"), descending=True),))
    assert (await _table(engine, read)).num_rows == 5
    with pytest.raises(BadInput):
        await _table(engine, replace(read, page=Page(5, backward=True)))
