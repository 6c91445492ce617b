"""A warehouse for background work, whose queries may take minutes."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import pyarrow as pa

from loaders.columnar.dialect import Dialect
from loaders.columnar.statement import Statement
from loaders.ledger import Ledger
from loaders.warehouses.bounded import Bounded

_TIMEOUT_MS = 15 * 60 * 1000


@dataclass(frozen=True, slots=True)
class BackgroundSource:
    """The warehouse as a `Source` whose statements may take 15 minutes each."""

    warehouse: Bounded

    @property
    def dialect(self) -> Dialect:
        return self.warehouse.dialect

    @property
    def answer_bytes(self) -> int:
        return self.warehouse.answer_bytes

    async def stream(self, statement: Statement, *, ledger: Ledger) -> AsyncGenerator[pa.RecordBatch, None]:
        async with aclosing(self.warehouse.stream(statement, ledger=ledger, timeout_ms=_TIMEOUT_MS)) as batches:
            async for batch in batches:
                yield batch
