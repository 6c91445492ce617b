"""Answers of reads over a remote table that has been described, and so was allowed, in this request."""

from loaders.columnar.connection import read_connection
from loaders.columnar.source import Source
from loaders.description import Table
from loaders.errors import StoreUnavailable
from loaders.read import Read
from resolvers.context import Context


def source_of(table: Table, context: Context) -> Source:
    """The opened warehouse of a described table."""
    source = context.stores.warehouses.opened.get(table.store)
    if source is None:
        raise StoreUnavailable(table.store, f"{table.store} was changed while it was read. Try again.")
    return source


async def answer_rows(read: Read, context: Context) -> str:
    """The connection of a read as JSON text."""
    return (await read_connection(read, source_of(read.table, context), context.ledger)).decode()


async def answer_groups(read: Read, context: Context) -> str:
    """The list of groups of `resolvers.gen.rows.aggregate_read` as JSON text."""
    text = await answer_rows(read, context)
    return text.removeprefix('{"rows":').removesuffix("}")
