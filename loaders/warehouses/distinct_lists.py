"""Dataloader of distinct values of remote tables, for one request: one statement for the lists of a data source."""

from typing import Any

from aiodataloader import DataLoader

from loaders.columnar.distinct import DistinctList, read_distinct
from loaders.concurrently import concurrently
from loaders.errors import AxionError, BadInput, StoreQueryFailed
from loaders.ledger import Ledger
from loaders.warehouses.pools import Warehouses

_MAX_LISTS = 50


class ValuesByList(DataLoader[DistinctList, list[Any]]):
    """The lists of one data source that was opened for this request, at most 50 in a statement.

    When the engine refuses the combined statement, each list is read by itself, so that one that cannot be answered
    spoils no other. Must be created inside the running loop. Raises what the data source may raise.
    """

    max_batch_size = _MAX_LISTS

    def __init__(self, warehouses: Warehouses, store: str, ledger: Ledger) -> None:
        super().__init__()
        self._warehouses = warehouses
        self._store = store
        self._ledger = ledger

    async def batch_load_fn(self, lists: list[DistinctList]) -> list[Any]:
        """For each key its list of values, or the failure in its place."""
        try:
            return await self._read(lists)
        except (BadInput, StoreQueryFailed):
            if len(lists) == 1:
                raise
            return await concurrently(self._one(each) for each in lists)

    async def _one(self, each: DistinctList) -> list[Any] | AxionError:
        try:
            (values,) = await self._read([each])
        except AxionError as error:
            return error
        return values

    async def _read(self, lists: list[DistinctList]) -> list[list[Any]]:
        return await read_distinct(lists, self._warehouses.still_open(self._store), self._ledger)
