"""Reads of a described table for answers that report their statements and usage."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from loaders.columnar.connection import read_connection
from loaders.columnar.watched import Watched
from loaders.description import Table
from loaders.ledger import Ledger, StoreUsage
from loaders.read import Read
from resolvers.context import Context
from resolvers.gen.answer import guarded_rows, source_of


@dataclass(frozen=True, slots=True)
class Watch:
    """`sent` are the statements as they were sent, without values."""

    context: Context
    dataset_id: UUID
    store: str
    source: Watched
    ledger: Ledger

    @property
    def sent(self) -> tuple[str, ...]:
        return tuple(self.source.sent)

    @property
    def usage(self) -> StoreUsage:
        return self.ledger.stores.get(self.store, StoreUsage())

    async def connection(self, read: Read) -> dict[str, Any]:
        """The connection of the read, under the guard."""
        guarded = await guarded_rows(read, self.dataset_id, self.context)
        tree: dict[str, Any] = orjson.loads(await read_connection(guarded, self.source, self.ledger))
        return tree

    async def groups(self, read: Read) -> list[dict[str, Any]]:
        """The groups of a read of `resolvers.gen.group_read.aggregate_read`, under the guard."""
        rows: list[dict[str, Any]] = (await self.connection(read))["rows"]
        return rows


@contextmanager
def watching(table: Table, dataset_id: UUID, context: Context) -> Iterator[Watch]:
    """Usage is added to the request's ledger, also when a read fails."""
    watch = Watch(context, dataset_id, table.store, Watched(source_of(table, context)), context.ledger.part())
    try:
        yield watch
    finally:
        context.ledger.add(watch.ledger)
