"""A source that records the statements it was sent."""

from collections.abc import AsyncGenerator

import pyarrow as pa

from loaders.columnar.dialect import Dialect
from loaders.columnar.source import Source, answer_bytes
from loaders.columnar.statement import Statement
from loaders.ledger import Ledger


class Watched:
    """`sent` are the texts of the statements, in order. Values are bound, so none is in them."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.sent: list[str] = []

    @property
    def dialect(self) -> Dialect:
        return self._source.dialect

    @property
    def answer_bytes(self) -> int:
        return answer_bytes(self._source)

    def stream(self, statement: Statement, *, ledger: Ledger) -> AsyncGenerator[pa.RecordBatch, None]:
        self.sent.append(statement.sql)
        return self._source.stream(statement, ledger=ledger)
