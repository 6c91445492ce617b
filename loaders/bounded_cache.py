"""A cache bounded by weight, which evicts the least recently used entries."""

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class BoundedCache(Generic[K, V]):
    """`None` is not a value: `get` answers it for a missing key. A value heavier than the bound is not stored."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self.weight = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def drop(self, key: K) -> None:
        found = self._entries.pop(key, None)
        if found is not None:
            self.weight -= found[1]

    def keep(self, key: K, value: V, weight: int = 1) -> None:
        self.drop(key)
        self._entries[key] = (value, weight)
        self.weight += weight
        while self.weight > self._bound:
            _, (_, given_up) = self._entries.popitem(last=False)
            self.weight -= given_up
