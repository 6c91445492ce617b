"""What a request did to each store: the figures of `extensions.stores`, and what tests assert instead of guessing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter


@dataclass(slots=True)
class StoreUsage:
    """Totals of one store: statements (or calls) sent, rows and bytes received, milliseconds waited (summed)."""

    statements: int = 0
    rows: int = 0
    bytes: int = 0
    ms: float = 0.0


@dataclass(slots=True)
class Ledger:
    """Lives for one request; every store client records each statement it sends, also a failed one."""

    stores: dict[str, StoreUsage] = field(default_factory=dict)

    def record(self, store: str, *, statements: int = 1, rows: int = 0, bytes_: int = 0, ms: float = 0.0) -> None:
        usage = self.stores.setdefault(store, StoreUsage())
        usage.statements += statements
        usage.rows += rows
        usage.bytes += bytes_
        usage.ms += ms

    def add(self, part: "Ledger") -> None:
        """What a part of the request did that was counted by itself."""
        for store, usage in part.stores.items():
            self.record(store, statements=usage.statements, rows=usage.rows, bytes_=usage.bytes, ms=usage.ms)

    @contextmanager
    def statement(self, store: str) -> Iterator[StoreUsage]:
        """Records one statement when the body ends, also when it fails. The body sets what it received."""
        usage = StoreUsage()
        started = perf_counter()
        try:
            yield usage
        finally:
            self.record(store, rows=usage.rows, bytes_=usage.bytes, ms=(perf_counter() - started) * 1000)
