"""The narrow interface to a store that the columnar path needs, and how much of an answer it may keep in memory."""

from collections.abc import AsyncGenerator
from typing import Final, Protocol, runtime_checkable

import pyarrow as pa

from loaders.columnar.dialect import Dialect
from loaders.columnar.statement import Statement
from loaders.ledger import Ledger

ANSWER_BYTES: Final = 64 << 20
"""The limit of one statement's answer that is not streamed, unless its source has another."""


class Source(Protocol):
    """A store that runs compiled statements, also several at the same time."""

    @property
    def dialect(self) -> Dialect: ...

    def stream(self, statement: Statement, *, ledger: Ledger) -> AsyncGenerator[pa.RecordBatch, None]:
        """The answer, columns named as in `statement.columns`, without being held in memory as a whole.

        Raises a `StoreError`; closing the iterator cancels the query in the store. Records itself in the ledger.
        """
        ...


@runtime_checkable
class Holding(Protocol):
    """A `Source` that bounds the bytes, as Arrow, of one statement's answer that is not streamed."""

    @property
    def answer_bytes(self) -> int: ...


def answer_bytes(source: Source) -> int:
    return source.answer_bytes if isinstance(source, Holding) else ANSWER_BYTES
