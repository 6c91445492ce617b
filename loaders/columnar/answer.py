"""The answer of one statement: record batches whose columns are found by expression."""

from contextlib import aclosing
from dataclasses import dataclass

import pyarrow as pa

from loaders.columnar.batch_size import SMALL, size_of
from loaders.columnar.compile import Rows
from loaders.columnar.source import Source, answer_bytes
from loaders.columnar.statement import Statement
from loaders.description import ColumnType, Kind
from loaders.encode.text import floats, plain_text, unwrapped
from loaders.errors import PageTooLarge
from loaders.ledger import Ledger
from loaders.read import Expression
from loaders.room import Lent


@dataclass(frozen=True, slots=True)
class Found:
    """All rows that a statement answered, and their approximate size in bytes."""

    batches: list[pa.RecordBatch]
    size: int


class Answer:
    """All rows of a statement, in memory: pages and groups are bounded by their limits."""

    def __init__(self, statement: Statement, found: Found) -> None:
        self.statement = statement
        self._batches = [batch for batch in found.batches if batch.num_rows]
        self.rows = sum(batch.num_rows for batch in self._batches)

    def column(self, position: int) -> tuple[pa.Array, ColumnType]:
        """The values and the type of the output column `position`."""
        output = self.statement.columns[position]
        if not self._batches:
            return pa.array([], pa.large_string()), ColumnType(Kind.TEXT)
        return pa.concat_arrays([unwrapped(batch.column(position)) for batch in self._batches]), output.type

    def texts(self, position: int) -> list[str | None]:
        """A column's values as plain text, for cursors and keys. NaN is null, infinity is not, and -0 is 0."""
        values, column_type = self.column(position)
        if column_type.kind is Kind.FLOAT:
            numbers = floats(values).cast(pa.float64()).to_pylist()
            return [None if v is None or v != v else repr(v + 0.0) for v in numbers]
        if column_type.kind is Kind.TEXT and self._batches:
            data = values.cast(pa.large_string(), safe=False).cast(pa.large_binary()).to_pylist()
            return [None if value is None else value.decode("utf-8", "surrogateescape") for value in data]
        return list(plain_text(values, column_type).to_pylist())

    def integers(self, position: int) -> list[int]:
        values, _ = self.column(position)
        return [int(value) for value in values.to_pylist()]


class RowsAnswer(Answer):
    """Rows of a table, whose columns are found by the read's own expressions."""

    def __init__(self, rows: Rows, found: Found) -> None:
        super().__init__(rows.statement, found)
        self._plan = rows

    def column_of(self, expression: Expression) -> tuple[pa.Array, ColumnType]:
        return self.column(self._plan.position(expression))

    def texts_of(self, expression: Expression) -> list[str | None]:
        return self.texts(self._plan.position(expression))


async def run(source: Source, statement: Statement, ledger: Ledger, lent: Lent) -> Found:
    """All rows, in the room that `lent` gives as long as they are held. Raises `PageTooLarge` beyond that room and
    beyond the bytes that the source allows; the query is then cancelled in the store.
    """
    batches: list[pa.RecordBatch] = []
    held = 0
    async with aclosing(source.stream(statement, ledger=ledger)) as answer:
        async for batch in answer:
            size = size_of(batch)
            held += size
            lent.take(size)
            if held > SMALL and held > (most := answer_bytes(source)):
                raise PageTooLarge(
                    f"An answer is larger than {most} bytes. Ask for fewer rows, leave out columns of long values, or"
                    " read it as an Arrow stream."
                )
            batches.append(batch)
    return Found(batches, held)


def bytes_of(texts: pa.Array) -> list[bytes]:
    return list(texts.cast(pa.large_binary()).to_pylist())
