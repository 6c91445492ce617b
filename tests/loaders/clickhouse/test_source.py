"""What the platform's ClickHouse is asked for when a read is streamed."""

from contextlib import aclosing

import pytest

from loaders.clickhouse.client import ClickHouse
from loaders.clickhouse.source import ClickHouseSource
from loaders.columnar.statement import Statement
from loaders.ledger import Ledger

ROWS = 200_000
_TABLE = "default.streamed"
_VALUES = ", ".join(f"number AS v{n}" for n in range(6))
_ALL = Statement(f"SELECT * FROM {_TABLE}", (), ())


@pytest.fixture
async def source(client: ClickHouse, ledger: Ledger) -> ClickHouseSource:
    """A table of rows of 48 bytes, in one part."""
    await client.command(
        f"CREATE OR REPLACE TABLE {_TABLE} ENGINE = MergeTree ORDER BY v0 AS SELECT {_VALUES} FROM numbers({ROWS})",
        ledger=ledger,
    )
    return ClickHouseSource(client)


async def test_a_stream_has_larger_batches_than_an_answer_that_is_read_here(
    source: ClickHouseSource, ledger: Ledger
) -> None:
    async with aclosing(source.stream(_ALL, ledger=ledger)) as batches:
        own = [batch.num_rows async for batch in batches]
    async with aclosing(source.stream_encoded(_ALL, ledger=ledger)) as encoded:
        streamed = [(await batch.decoded()).num_rows async for batch in encoded]
    assert sum(own) == sum(streamed) == ROWS
    assert len(streamed) < 0.75 * len(own)
