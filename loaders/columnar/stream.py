"""A columnar `Read` as a stream of Arrow record batches: bounded memory, the store's batches as they come."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

import pyarrow as pa

from loaders.columnar.compile import Rows, compile_stream
from loaders.columnar.predicate import is_never
from loaders.columnar.source import Source
from loaders.description import ColumnType
from loaders.encode.arrow import arrow_type, record_batch
from loaders.expression import expression_type
from loaders.ledger import Ledger
from loaders.read import Expression, Read


async def stream_arrow(read: Read, source: Source, ledger: Ledger) -> AsyncGenerator[pa.RecordBatch, None]:
    """`read.fields` of all rows that match, at least one batch (an empty one tells the schema).

    Unsorted unless `read.order` or a page asks for an order; no limit unless `read.page` has one. Closing the iterator
    cancels the query in the store. All batches have the schema of the first.
    """
    rows = compile_stream(read, source.dialect)
    empty = True
    if not is_never(read.where):
        async with aclosing(source.stream(rows.statement, ledger=ledger)) as batches:
            async for batch in batches:
                empty = False
                yield record_batch(read.fields, partial(_column_of, batch, rows), batch.num_rows)
    if empty:
        yield record_batch(read.fields, partial(_no_values, read), 0)


def _column_of(batch: pa.RecordBatch, rows: Rows, expression: Expression) -> tuple[pa.Array, ColumnType]:
    position = rows.position(expression)
    return batch.column(position), rows.statement.columns[position].type


def _no_values(read: Read, expression: Expression) -> tuple[pa.Array, ColumnType]:
    column_type = expression_type(expression, read.table)
    return pa.array([], arrow_type(column_type)), column_type
