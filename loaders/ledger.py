"""Counts what a request did to each store: the figures of `extensions.stores`, which tests also assert."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import TypeAlias

from loaders.room import Room
from loaders.turns import Turns


@dataclass(slots=True)
class StoreUsage:
    """Totals for one store: statements (or calls) sent, rows and bytes received, milliseconds waited (summed)."""

    statements: int = 0
    rows: int = 0
    bytes: int = 0
    ms: float = 0.0


Heard: TypeAlias = Callable[[str, StoreUsage], None]
"""Is told the store and what was done, just when it has ended."""


@dataclass(slots=True)
class Ledger:
    """Lives for one request. Every client of a store records each statement it sends, failed ones too.

    `heard` is called with each statement, for traces, including those recorded aside. `room` bounds what the answers of
    the request may take, and `turns` how long it holds the event loop at a time.
    """

    stores: dict[str, StoreUsage] = field(default_factory=dict)
    heard: Heard | None = None
    room: Room = field(default_factory=Room)
    turns: Turns = field(default_factory=Turns)
    _aside: "Ledger | None" = None

    @property
    def aside(self) -> "Ledger":
        """A ledger for reads and checks of rows that may be hidden. The caller is not told about them, since their
        number would tell how many there are; the metrics of the gateway include them.
        """
        if self._aside is None:
            self._aside = Ledger(heard=self.heard, room=Room(self.room.most), turns=self.turns)
        return self._aside

    def entries(self) -> Iterator[tuple[str, StoreUsage]]:
        """Everything that was done, including what is aside: a store may occur twice."""
        yield from self.stores.items()
        if self._aside is not None:
            yield from self._aside.entries()

    def record(self, store: str, *, rows: int = 0, bytes_: int = 0, ms: float = 0.0) -> None:
        """Counts one statement."""
        done = StoreUsage(1, rows, bytes_, ms)
        self._count(store, done)
        if self.heard is not None:
            self.heard(store, done)

    def part(self) -> "Ledger":
        """A ledger for a part of the request that is counted by itself, to be added with `add`."""
        return Ledger(heard=self.heard, room=self.room, turns=self.turns)

    def add(self, part: "Ledger") -> None:
        """What a `part` of the request did."""
        for store, usage in part.stores.items():
            self._count(store, usage)
        if part._aside is not None:
            self.aside.add(part._aside)

    def _count(self, store: str, done: StoreUsage) -> None:
        usage = self.stores.setdefault(store, StoreUsage())
        usage.statements += done.statements
        usage.rows += done.rows
        usage.bytes += done.bytes
        usage.ms += done.ms

    @contextmanager
    def statement(self, store: str) -> Iterator[StoreUsage]:
        """Records one statement when the body ends, also when it fails. The body sets what was received."""
        usage = StoreUsage()
        started = perf_counter()
        try:
            yield usage
        finally:
            self.record(store, rows=usage.rows, bytes_=usage.bytes, ms=(perf_counter() - started) * 1000)
