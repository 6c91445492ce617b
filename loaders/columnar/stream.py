"""Streams a columnar `Read` as Arrow record batches, in bounded memory, as they arrive from the store."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from functools import partial

import pyarrow as pa

from loaders.columnar.compile import Rows, compile_stream
from loaders.columnar.encoded import EncodedBatch, Encodes
from loaders.columnar.source import Source
from loaders.description import ColumnType, Kind
from loaders.encode.arrow import arrow_type, record_batch, same_layout
from loaders.encode.ipc import END, Chunk, ipc_stream
from loaders.expression import expression_type
from loaders.ledger import Ledger
from loaders.read import Computed, Expression, Read, is_never


async def stream_arrow(read: Read, source: Source, ledger: Ledger) -> AsyncGenerator[pa.RecordBatch, None]:
    """`read.fields` of all rows that match, in at least one batch (an empty one carries the schema).

    Unsorted unless `read.order` or a page asks for an order, and unlimited unless `read.page` has a limit. Closing the
    iterator cancels the query in the store. All batches have the schema of the first.
    """
    rows = compile_stream(read, source.dialect)
    empty = True
    if not is_never(read.where):
        async with aclosing(source.stream(rows.statement, ledger=ledger)) as batches:
            async for batch in batches:
                empty = False
                yield _shown(read, rows, batch)
    if empty:
        yield record_batch(read.fields, partial(_no_values, read), 0)


async def stream_ipc(
    read: Read, source: Source, ledger: Ledger, *, compressed: bool = True
) -> AsyncGenerator[Chunk, None]:
    """The batches of `stream_arrow` as one Arrow IPC stream. Nothing is sent before the store has answered.

    If they may be `compressed` and the fields are columns as the store has them, its own messages are passed on, with
    its compression. That takes a quarter of the CPU of decoding and encoding them.
    """
    rows = compile_stream(read, source.dialect)
    if compressed and isinstance(source, Encodes) and not is_never(read.where) and _as_stored(read, rows):
        async with aclosing(source.stream_encoded(rows.statement, ledger=ledger)) as encoded:
            async for chunk in _passed(read, rows, encoded):
                yield chunk
    else:
        async with aclosing(stream_arrow(read, source, ledger)) as batches:
            async for chunk in ipc_stream(batches):
                yield chunk


async def _passed(read: Read, rows: Rows, encoded: AsyncIterator[EncodedBatch]) -> AsyncGenerator[Chunk, None]:
    first = await anext(encoded, None)
    if first is None:
        shown = record_batch(read.fields, partial(_no_values, read), 0).schema
    else:
        shown = _shown(read, rows, pa.RecordBatch.from_pylist([], first.schema)).schema
        if not same_layout(first.schema, shown):
            async for chunk in ipc_stream(_decoded(read, rows, first, encoded)):
                yield chunk
            return
    yield memoryview(shown.serialize())
    if first is not None:
        yield memoryview(first.message)
        async for batch in encoded:
            yield memoryview(batch.message)
    yield END


async def _decoded(
    read: Read, rows: Rows, first: EncodedBatch, rest: AsyncIterator[EncodedBatch]
) -> AsyncGenerator[pa.RecordBatch, None]:
    yield _shown(read, rows, await first.decoded())
    async for batch in rest:
        yield _shown(read, rows, await batch.decoded())


def _as_stored(read: Read, rows: Rows) -> bool:
    """Whether the fields are the columns of the answer, each once and in order, and none needs a look at its values."""
    outputs = [field.output for field in read.fields]
    expressions = tuple(output.expression for output in outputs if isinstance(output, Computed))
    return (
        len(expressions) == len(outputs)
        and expressions == rows.expressions
        and all(column.type.kind is not Kind.TEXT for column in rows.statement.columns)
    )


def _shown(read: Read, rows: Rows, batch: pa.RecordBatch) -> pa.RecordBatch:
    return record_batch(read.fields, partial(_column_of, batch, rows), batch.num_rows)


def _column_of(batch: pa.RecordBatch, rows: Rows, expression: Expression) -> tuple[pa.Array, ColumnType]:
    position = rows.position(expression)
    return batch.column(position), rows.statement.columns[position].type


def _no_values(read: Read, expression: Expression) -> tuple[pa.Array, ColumnType]:
    column_type = expression_type(expression, read.table)
    return pa.array([], arrow_type(column_type)), column_type
