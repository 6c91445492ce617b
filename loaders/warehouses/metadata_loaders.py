"""Dataloaders over warehouses for one request: each question is asked once, however many datasets lead to it.

Questions are not batched, because a batch ends with its slowest: a warehouse that does not answer must not hold up the
others. Callers that ask while an answer is pending share it. A failure is raised to all of them, and not kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from aiodataloader import DataLoader

from loaders.description import Table
from loaders.errors import UnknownTable
from loaders.ledger import Ledger
from loaders.warehouses.base import Estimate, Estimates, RemoteTable
from loaders.warehouses.bounded import Bounded
from loaders.warehouses.places import Space
from loaders.warehouses.pools import Warehouses

Q = TypeVar("Q")
A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class TableName:
    """Names a table that need not exist."""

    space: Space
    name: str


class _MetadataLoader(DataLoader[Q, A]):
    """Must be made inside the running loop. Raises what opening the data source and asking its engine may raise."""

    batch = False

    def __init__(self, warehouses: Warehouses, ledger: Ledger) -> None:
        super().__init__()
        self._warehouses = warehouses
        self._ledger = ledger

    async def _warehouse_of(self, space: Space) -> Bounded:
        return await self._warehouses.open(space.data_source_id, ledger=self._ledger)


class RemoteTablesBySpace(_MetadataLoader[Space, Sequence[RemoteTable]]):
    """The listing of a schema, ordered by name; empty when the schema does not exist."""

    async def batch_load_fn(self, spaces: list[Space]) -> list[Sequence[RemoteTable]]:
        (space,) = spaces
        return [await (await self._warehouse_of(space)).list_tables(space.schema, ledger=self._ledger)]


class TableByName(_MetadataLoader[TableName, Table | None]):
    """The table with its columns; None when there is none. Afterwards `Warehouses.opened` has its warehouse under
    `table.store`.
    """

    async def batch_load_fn(self, tables: list[TableName]) -> list[Table | None]:
        (table,) = tables
        warehouse = await self._warehouse_of(table.space)
        try:
            return [await warehouse.describe(table.name, table.space.schema, ledger=self._ledger)]
        except UnknownTable:
            return [None]


class EstimateByTableName(_MetadataLoader[TableName, Estimate | None]):
    """Rows and bytes from metadata; both None when the warehouse cannot estimate, and None when there is no
    such table.
    """

    async def batch_load_fn(self, tables: list[TableName]) -> list[Estimate | None]:
        (table,) = tables
        warehouse = await self._warehouse_of(table.space)
        if not isinstance(warehouse, Estimates):
            return [Estimate(None, None)]
        try:
            return [await warehouse.estimate(table.name, table.space.schema, ledger=self._ledger)]
        except UnknownTable:
            return [None]
