"""Keeps the opened tables of Parquet files, whose footers were read, for as long as their files are unchanged."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor, Future

from loaders.warehouses.s3_files import BoundedDataset, IndistinctColumns, MisfitFile, TableFiles

_DATASETS = 64


class Datasets:
    """Footers are read once for all concurrent callers, and to the end even when no caller waits any more: when that
    takes longer than a query's time-out, a later query finds them read. Files found not to fit together are not read
    again either.

    Keeps the `most` datasets used last. Belongs to one event loop.
    """

    def __init__(
        self, open_: Callable[[TableFiles], BoundedDataset], executor: Executor, *, most: int = _DATASETS
    ) -> None:
        self._open = open_
        self._executor = executor
        self._most = most
        self._kept: OrderedDict[str, tuple[TableFiles, Future[BoundedDataset]]] = OrderedDict()

    def has(self, files: TableFiles) -> bool:
        """Whether these files have been read, so that `of` costs nothing."""
        found = self._kept.get(files.root)
        return found is not None and found[0] == files and found[1].done() and not _failed_on_the_way(found[1])

    async def of(self, files: TableFiles) -> BoundedDataset:
        """The dataset of these files. Raises what `open_` raises; a failure that is not the files' own is not kept."""
        found = self._kept.get(files.root)
        if found is None or found[0] != files or _failed_on_the_way(found[1]):
            found = self._kept[files.root] = (files, self._executor.submit(self._open, files))
        self._kept.move_to_end(files.root)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        answer = asyncio.wrap_future(found[1])
        answer.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # retrieved even when abandoned
        try:
            return await asyncio.shield(answer)
        except (MisfitFile, IndistinctColumns) as error:
            raise type(error)(*error.args) from None  # one instance would accumulate tracebacks


def _failed_on_the_way(opening: Future[BoundedDataset]) -> bool:
    if not opening.done():
        return False
    return opening.cancelled() or not isinstance(opening.exception(), MisfitFile | IndistinctColumns | None)
