"""Estimates what statements would scan, by the engine's own estimate, and bounds what a document may scan in total."""

from collections.abc import Sequence
from dataclasses import dataclass

from loaders.columnar.compile import Compiled, compile_read, compile_stream
from loaders.columnar.statement import Statement
from loaders.read import Read
from loaders.warehouses.base import Forecasts, Scanned
from loaders.warehouses.bounded import Bounded
from resolvers.context import Context
from resolvers.permissions.apply import touched


@dataclass(frozen=True, slots=True)
class Forecast:
    """`reason` says why neither `rows` nor `bytes` is known."""

    rows: int | None
    bytes: int | None
    reason: str | None = None


async def forecast(
    context: Context, warehouse: Bounded, statement: Statement, scanned: Sequence[Scanned], *, engine: str | None
) -> Forecast:
    """Raises what the store raises."""
    if not isinstance(warehouse, Forecasts):
        return Forecast(None, None, f"The connector {engine} cannot tell what a query will read.")
    found = await warehouse.forecast(statement, scanned, ledger=context.ledger)
    if found.rows is None and found.bytes is None:
        return Forecast(None, None, "The engine keeps no sizes of what the query reads, such as of a view.")
    return Forecast(found.rows, found.bytes)


async def afford(
    context: Context, warehouse: Bounded, statements: Sequence[tuple[Statement, Sequence[Scanned]]]
) -> None:
    """Takes what the statements would read from the document's budget. Raises `CostExceeded` beyond it, before anything
    is read. Asks nothing if there is no such budget or the engine cannot tell.
    """
    if context.budget.scanned_bytes is None or not isinstance(warehouse, Forecasts):
        return
    for statement, scanned in statements:
        found = await warehouse.forecast(statement, scanned, ledger=context.ledger)
        context.budget.scan(found.bytes or 0)


async def afford_read(context: Context, read: Read) -> None:
    """As `afford`, for a guarded read of a described table."""
    warehouse = context.stores.warehouses.opened.get(read.table.store)
    if context.budget.scanned_bytes is not None and warehouse is not None:
        await afford(context, warehouse, [(each, scanned_by(read)) for each in statements_of(read, warehouse, context)])


def statements_of(read: Read, warehouse: Bounded, context: Context) -> list[Statement]:
    if context.capture is not None and read.connection is None:
        return [compile_stream(read, warehouse.dialect).statement]
    compiled: Compiled = compile_read(read, warehouse.dialect)
    found = [compiled.rows.statement] if compiled.rows is not None else []
    found += [compiled.total] if compiled.total is not None else []
    return found + [statement for _, statement in compiled.aggregates]


def scanned_by(read: Read) -> tuple[Scanned, ...]:
    return tuple(Scanned(table, tuple(sorted(columns))) for table, columns in touched(read).items())
