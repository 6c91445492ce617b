"""Lists of distinct values of remote tables, for one request: one statement for those of a source."""

from typing import Any

from aiodataloader import DataLoader

from loaders.columnar.distinct import DistinctList, read_distinct
from loaders.concurrently import concurrently
from loaders.errors import AxionError, BadInput, StoreQueryFailed
from loaders.ledger import Ledger
from loaders.warehouses.pools import Warehouses

_MAX_LISTS = 50


class ValuesByList(DataLoader[DistinctList, list[Any]]):
    """Of tables of one source that was opened for this request. At most 50 lists a statement.

    Where the engine refuses the statement of several, each is asked by itself, so that one that cannot be answered
    spoils no other. Must be made inside the running loop. Raises what the source may raise.
    """

    max_batch_size = _MAX_LISTS

    def __init__(self, warehouses: Warehouses, store: str, ledger: Ledger) -> None:
        super().__init__()
        self._warehouses = warehouses
        self._store = store
        self._ledger = ledger

    async def batch_load_fn(self, lists: list[DistinctList]) -> list[Any]:
        """A list of values each, or the failure in its place."""
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
