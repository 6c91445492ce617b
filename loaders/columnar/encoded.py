"""Record batches in the encoding of their store, which can be passed on without decoding."""

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
        """The batch as `Source.stream` gives it. Raises a `StoreError` if it is malformed."""
        ...


@runtime_checkable
class Encodes(Protocol):
    """A `Source` whose store sends Arrow IPC."""

    def stream_encoded(self, statement: Statement, *, ledger: Ledger) -> AsyncGenerator[EncodedBatch, None]:
        """As `Source.stream`. All batches have the same schema."""
        ...
