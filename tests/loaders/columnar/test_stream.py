from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import cast
from uuid import UUID

import pyarrow as pa
import pytest

from loaders.clickhouse.encoded import EncodedBatch
from loaders.columnar.statement import Statement
from loaders.columnar.stream import stream_arrow, stream_ipc
from loaders.encode.ipc import END
from loaders.errors import BadInput
from loaders.ledger import Ledger
from loaders.read import Col, Compare, Computed, Field, Literal, Never, NodeId, Op, OrderBy, Page, Predicate, Read
from tests.loaders.columnar.conftest import ROWS, TABLE
from tests.loaders.columnar.sources import ChDb, Engine, the_chdb

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


# --- as one Arrow IPC stream ------------------------------------------------------------------------------------------


class _Decoding(ChDb):
    """Counts the batches that are decoded."""

    def __init__(self) -> None:
        self.session = the_chdb().session
        self.messages: list[bytes] = []

    async def stream_encoded(self, statement: Statement, *, ledger: Ledger) -> AsyncGenerator[EncodedBatch, None]:
        async with aclosing(super().stream_encoded(statement, ledger=ledger)) as batches:
            async for batch in batches:
                self.messages.append(batch.message.to_pybytes())
                yield batch


def _fields(*names: str) -> tuple[Field, ...]:
    return tuple(Field(f"a_{name}", Computed(Col(name))) for name in names)


@pytest.mark.parametrize(
    ("fields", "where", "passes"),
    [
        (_fields("id", "c0", "big", "ratio", "flag", "day", "at", "cell"), None, True),
        (_fields("cell", "at", "id"), Compare(Col("c0"), Op.IS_NULL, True), True),
        (_fields("id", "at"), Compare(Col("c0"), Op.EQ, 99), True),
        (_fields("id", "at"), Never(), False),
        (_fields("id", "name"), None, False),
        ((*_fields("at"), Field("again", Computed(Col("at")))), None, False),
        ((Field("key", NodeId("Odd", ("id",))), *_fields("id")), None, False),
        ((*_fields("id"), Field("kind", Literal("Odd"))), None, False),
        (FIELDS, None, False),
    ],
)
async def test_a_store_that_speaks_arrow_is_passed_on(
    engine: Engine, fields: tuple[Field, ...], where: Predicate | None, passes: bool
) -> None:
    read = Read(TABLE, fields, where=where, order=(OrderBy(Col("at")),))
    source = _Decoding() if isinstance(engine, ChDb) else engine
    content = b"".join([bytes(chunk) async for chunk in stream_ipc(read, source, Ledger())])
    assert content.endswith(END)
    with pa.ipc.open_stream(content) as reader:
        table = reader.read_all()
    table.validate(full=True)
    expected = await _table(engine, read)
    assert table.schema == expected.schema
    assert repr(table.to_pylist()) == repr(expected.to_pylist())  # NaN is not equal to itself
    plain = [chunk async for chunk in stream_ipc(read, source, Ledger(), compressed=False)]
    with pa.ipc.open_stream(b"".join(plain)) as reader:
        assert repr(reader.read_all().to_pylist()) == repr(expected.to_pylist())
    if isinstance(source, _Decoding):
        assert bool(source.messages) == (passes and table.num_rows > 0)
        assert all(message in content for message in source.messages)
