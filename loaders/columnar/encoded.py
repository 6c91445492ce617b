"""Record batches as their store has encoded them, so that what needs no look at them passes them on."""

from collections.abc import AsyncGenerator
from typing import Protocol, runtime_checkable

import pyarrow as pa

from loaders.columnar.statement import Statement
from loaders.ledger import Ledger


class EncodedBatch(Protocol):
    """A message of Arrow IPC that holds one record batch of `schema`, and no dictionary."""

    @property
    def schema(self) -> pa.Schema: ...

    @property
    def message(self) -> pa.Buffer: ...

    async def decoded(self) -> pa.RecordBatch:
        """As `Source.stream` gives it. A `StoreError` for a broken one."""
        ...


@runtime_checkable
class Encodes(Protocol):
    """A `Source` whose store speaks Arrow IPC."""

    def stream_encoded(self, statement: Statement, *, ledger: Ledger) -> AsyncGenerator[EncodedBatch, None]:
        """As `Source.stream`. All batches have one schema."""
        ...
