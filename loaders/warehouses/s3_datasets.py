"""Tables of Parquet files whose footers were read, kept for as long as their files are the same."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor, Future

from loaders.warehouses.s3_files import Alike, BoundedDataset, Misfit, TableFiles

_DATASETS = 64


class Datasets:
    """Footers are read once for all who ask meanwhile, and to the end though nobody waits any more: where that takes
    longer than a query may, a later one finds them read. Files that do not fit together are not read again either.

    The `most` that were used last are kept. Belongs to one event loop.
    """

    def __init__(
        self, open_: Callable[[TableFiles], BoundedDataset], executor: Executor, *, most: int = _DATASETS
    ) -> None:
        self._open = open_
        self._executor = executor
        self._most = most
        self._kept: OrderedDict[str, tuple[TableFiles, Future[BoundedDataset]]] = OrderedDict()

    def has(self, files: TableFiles) -> bool:
        """Whether these have been read, so that asking costs nothing."""
        found = self._kept.get(files.root)
        return found is not None and found[0] == files and found[1].done() and not _failed_on_the_way(found[1])

    async def of(self, files: TableFiles) -> BoundedDataset:
        """Raises what `open_` raises; what is not the files' fault, anew to each who asks later."""
        found = self._kept.get(files.root)
        if found is None or found[0] != files or _failed_on_the_way(found[1]):
            found = self._kept[files.root] = (files, self._executor.submit(self._open, files))
        self._kept.move_to_end(files.root)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        answer = asyncio.wrap_future(found[1])
        answer.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # asked for when abandoned, too
        try:
            return await asyncio.shield(answer)
        except (Misfit, Alike) as error:
            raise type(error)(*error.args) from None  # each his own: tracebacks would pile up


def _failed_on_the_way(opening: Future[BoundedDataset]) -> bool:
    if not opening.done():
        return False
    return opening.cancelled() or not isinstance(opening.exception(), Misfit | Alike | None)
