"""The narrow view of a store that the columnar path needs."""

from collections.abc import AsyncGenerator
from typing import Protocol

import pyarrow as pa

from loaders.columnar.dialect import Dialect
from loaders.columnar.statement import Statement
from loaders.ledger import Ledger


class Source(Protocol):
    """A store that runs compiled statements. One is asked several at a time."""

    @property
    def dialect(self) -> Dialect: ...

    def stream(self, statement: Statement, *, ledger: Ledger) -> AsyncGenerator[pa.RecordBatch, None]:
        """The answer, columns named as in `statement.columns`, without being held in memory as a whole.

        Raises a `StoreError`; closing the iterator cancels the query in the store. Records itself in the ledger.
        """
        ...
