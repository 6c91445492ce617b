"""The platform's ClickHouse as a source of compiled reads."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from loaders.clickhouse.client import ClickHouse
from loaders.clickhouse.compile import ClickHouse as ClickHouseDialect
from loaders.clickhouse.encoded import EncodedBatch
from loaders.clickhouse.query_settings import Settings
from loaders.columnar.dialect import Dialect
from loaders.columnar.source import ANSWER_BYTES
from loaders.columnar.statement import Statement
from loaders.ledger import Ledger

IN_LARGE_BLOCKS: Final[Settings] = {"preferred_block_size_bytes": 2_000_000}
"""Twice ClickHouse's own size. A block costs the store and all who pass it on the same whatever its size, and a stream
reads them all; four times the size would delay the first one. Pages, which end early, keep the store's own size.
"""


@dataclass(frozen=True, slots=True)
class ClickHouseSource:
    """`timeout_ms` bounds each statement in the store; `None` means the client's default."""

    client: ClickHouse
    timeout_ms: int | None = None
    answer_bytes: int = ANSWER_BYTES
    dialect: Dialect = ClickHouseDialect()  # noqa: RUF009 - it holds no state

    def stream(self, statement: Statement, *, ledger: Ledger) -> AsyncGenerator[pa.RecordBatch, None]:
        return self.client.stream(statement.sql, statement.named, ledger=ledger, timeout_ms=self.timeout_ms)

    def stream_encoded(self, statement: Statement, *, ledger: Ledger) -> AsyncGenerator[EncodedBatch, None]:
        return self.client.stream_encoded(
            statement.sql,
            statement.named,
            ledger=ledger,
            timeout_ms=self.timeout_ms,
            settings=IN_LARGE_BLOCKS,
        )
