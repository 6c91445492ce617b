"""Estimates what a profile would read from metadata before anything is read, and refuses it beyond its budget."""

from collections.abc import Sequence
from dataclasses import dataclass

from loaders.columnar.profile import Portion, figures_statement
from loaders.description import Column
from loaders.errors import CostExceeded
from loaders.ledger import Ledger
from loaders.warehouses.base import Scan, ScanEstimates
from loaders.warehouses.bounded import Bounded


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `max_bytes`. `strict` also refuses engines that cannot estimate."""

    max_bytes: int
    strict: bool


async def afforded(
    warehouse: Bounded, reads: Sequence[tuple[Portion, Sequence[Column]]], budget: Budget, *, ledger: Ledger
) -> int | None:
    """The bytes that statements over these columns of these portions would read; None when metadata do not say.

    Raises `CostExceeded` when that exceeds the budget. Nothing is read.
    """
    total = 0
    for portion, columns in reads:
        bytes_ = await _bytes(warehouse, portion, columns, ledger)
        if bytes_ is None:
            if budget.strict:
                raise CostExceeded(
                    f"The engine cannot tell what profiling {portion.table.name} would read, so a budget of "
                    f"{budget.max_bytes} bytes cannot be kept. Leave out `maxBytes`, or ask for metadata only."
                )
            return None
        total += bytes_
    if total > budget.max_bytes:
        raise CostExceeded(
            f"Profiling would read about {total} bytes, and may read {budget.max_bytes}. Nothing was read. Raise "
            "`maxBytes`, lower `sampleRows` or exclude columns."
        )
    return total


async def _bytes(warehouse: Bounded, portion: Portion, columns: Sequence[Column], ledger: Ledger) -> int | None:
    if not isinstance(warehouse, ScanEstimates):
        return None
    statement, _ = figures_statement(portion, columns, warehouse.dialect, approximate=True)
    names = tuple(column.name for column in columns)
    return await warehouse.scan_bytes(Scan(statement, portion.table, names, portion.limit), ledger=ledger)
