"""The answer of user-written SQL, bounded in rows, bytes and time, as JSON or as an Arrow stream."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from loaders.audit.entry import Action
from loaders.encode.ipc import Chunk, ipc_stream
from loaders.errors import BadInput
from loaders.ledger import Ledger, StoreUsage
from loaders.raw_sql.answer import RawColumn, collect_rows, limit_rows
from loaders.raw_sql.reason import with_reasons
from loaders.warehouses.base import Query
from loaders.warehouses.bounded import Bounded
from resolvers.context import Context
from resolvers.gen.forecast import afford
from resolvers.gen.raw_sql import RawSql
from resolvers.gen.raw_use import record_use


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """`rows` is a JSON array. `truncated` says that the statement has more rows than `first` or the byte
    limit allows.
    """

    columns: tuple[RawColumn, ...]
    rows: bytes
    row_count: int
    truncated: bool
    sql: str
    usage: StoreUsage


async def answer_sql(context: Context, raw: RawSql, *, first: int) -> RawAnswer:
    """Requests one row more than `first` to find out whether there are others. The remaining query is cancelled."""
    context.budget.spend(first)
    sql = await asyncio.to_thread(raw.limited_sql, first + 1)
    query = await _begun(context, raw, sql)
    ledger = context.ledger.part()
    try:
        with with_reasons():
            async with aclosing(raw.warehouse.query(query, ledger=ledger)) as batches:
                found = await collect_rows(batches, limit=first)
    finally:
        context.ledger.add(ledger)
    context.ledger.room.take(found.size)
    usage = ledger.stores.get(raw.warehouse.store, StoreUsage())
    return RawAnswer(found.columns, found.text, len(found.rows), found.truncated, sql, usage)


@dataclass(frozen=True, slots=True)
class RawStream:
    """Rows as an Arrow stream. A slow reader slows the query, and a reader who leaves cancels it. `first=None` means
    all rows.
    """

    query: Query
    warehouse: Bounded
    first: int | None

    async def chunks(self, ledger: Ledger, *, compressed: bool) -> AsyncGenerator[Chunk, None]:
        with with_reasons():
            async with (
                aclosing(self.warehouse.query(self.query, ledger=ledger)) as batches,
                aclosing(limit_rows(batches, self.first)) as rows,
                aclosing(ipc_stream(rows)) as chunks,
            ):
                async for chunk in chunks:
                    yield chunk


async def stream_sql(context: Context, raw: RawSql, *, first: int | None) -> RawStream:
    sql = raw.sql if first is None else await asyncio.to_thread(raw.limited_sql, first)
    return RawStream(await _begun(context, raw, sql), raw.warehouse, first)


def checked_first(first: int | None, *, default: int, most: int | None) -> int:
    """The number of rows to return. `BadInput` outside of 0 to `most`."""
    found = default if first is None else first
    if found < 0 or (most is not None and found > most):
        raise BadInput(f"`first` is {found}; raw SQL answers from 0 to {most} rows at once. Ask for an Arrow stream.")
    return found


async def _begun(context: Context, raw: RawSql, sql: str) -> Query:
    """Charges the document's budget first, and then records the use in the audit log."""
    with with_reasons():
        await afford(context, raw.warehouse, [(raw.statement, raw.scanned)])
    facts = {"sql": sql, "dataSource": raw.warehouse.store, "tables": [table.name for table in raw.tables]}
    await record_use(context, Action.SQL_RUN, raw.dataset_id, facts)
    budget = context.budget
    left = None if budget.scanned_bytes is None else max(budget.scanned_bytes - budget.scanned, 1)
    return Query(sql, raw.tables, left)
