"""Remembers which tables this process has seen in listings, so that what is written once per table is not written
again.
"""

from collections import OrderedDict
from collections.abc import Iterable
from uuid import UUID

_DATASETS = 1_024


class ListedTables:
    """Table names by dataset, for the datasets listed last. A forgotten table is written again, which does no harm."""

    def __init__(self) -> None:
        self._names: OrderedDict[UUID, frozenset[str]] = OrderedDict()

    def unseen(self, dataset_id: UUID, names: Iterable[str]) -> frozenset[str]:
        return frozenset(names) - self._names.get(dataset_id, frozenset())

    def remember(self, dataset_id: UUID, names: Iterable[str]) -> None:
        self._names[dataset_id] = self._names.pop(dataset_id, frozenset()) | frozenset(names)
        while len(self._names) > _DATASETS:
            self._names.popitem(last=False)
