"""What a request did to each store: the figures of `extensions.stores`, and what tests assert instead of guessing."""

from dataclasses import dataclass, field


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
