"""Answers reads over a described remote table: guard, then fetch, as `resolvers/answer.py` does for the catalog."""

import asyncio
from collections.abc import Collection
from typing import Any
from uuid import UUID

import orjson

from loaders.columnar.connection import read_connection
from loaders.columnar.source import Source
from loaders.description import Table
from loaders.errors import NotFound, PageTooLarge
from loaders.openfga import names
from loaders.read import Predicate, Read, is_never
from resolvers.context import Context
from resolvers.cost import price
from resolvers.gen.forecast import Forecast, afford_read, forecast, scanned_by, statements_of
from resolvers.gen.group_read import MAX_GROUPS
from resolvers.gen.groups import Grouped, Groups, grouped_rows
from resolvers.gen.required import require_filters
from resolvers.permissions.guards import Whole
from resolvers.permissions.station import guard


def source_of(table: Table, context: Context) -> Source:
    """The opened warehouse that holds a described table."""
    return context.stores.warehouses.still_open(table.store)


async def guarded_rows(read: Read, dataset_id: UUID, context: Context) -> Read:
    """Guards the read: all rows of its tables, or none (`can_view` on `table:{dataset}/{name}`).

    Raises `FilterRequired` if a table has a required filter that the condition of the read lacks.
    """
    if context.capture is None:
        context.budget.spend(price(read))
    conditions = [(read.table, read.where), *((joined.table, joined.where) for joined in read.joined)]
    guarded = await _guarded(read, dataset_id, context)
    if not is_never(guarded.where):
        place = await asyncio.shield(context.gen.places.load(dataset_id))
        for table, where in conditions:
            require_filters(where, () if place is None else place.filters_of(table.name))
        await afford_read(context, guarded)
    return guarded


async def _guarded(read: Read, dataset_id: UUID, context: Context) -> Read:
    parent = names.dataset(dataset_id)
    tables = (read.table, *(joined.table for joined in read.joined))
    wholes = {table: Whole("can_view", names.table(dataset_id, table.name), parent=parent) for table in tables}
    return await guard(read, wholes, verdicts=context.verdicts, distinct=_nothing_distinct)


async def estimate_read(read: Read, dataset_id: UUID, context: Context) -> Forecast:
    """What the statement for a read of rows would scan. Nothing is read, and nothing is charged to a budget."""
    guarded = await _guarded(read, dataset_id, context)
    warehouse = context.stores.warehouses.opened.get(read.table.store)
    if is_never(guarded.where) or warehouse is None:
        raise NotFound(f"There is no table {read.table.name!r} in this dataset.")
    (statement,) = statements_of(guarded, warehouse, context)
    engine = context.stores.warehouses.engine(read.table.store)
    return await forecast(context, warehouse, statement, scanned_by(guarded), engine=engine)


async def answer_rows(read: Read, dataset_id: UUID, context: Context) -> str:
    """The connection of the guarded read as JSON text."""
    guarded = await guarded_rows(read, dataset_id, context)
    return (await read_connection(guarded, source_of(read.table, context), context.ledger)).decode()


async def answer_groups(read: Read, dataset_id: UUID, context: Context) -> str:
    """The list of groups of `resolvers.gen.group_read.aggregate_read` as JSON text."""
    text = await answer_rows(read, dataset_id, context)
    return text.removeprefix('{"rows":').removesuffix("}")


async def answer_grouped(groups: Groups, dataset_id: UUID, context: Context) -> Grouped:
    """As `grouped_rows`, under the guard. Raises `PageTooLarge` if no limit was given and there are more groups than
    are shown.
    """

    async def run(read: Read) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = orjson.loads(await answer_groups(read, dataset_id, context))
        return rows

    found = await grouped_rows(groups, run)
    if found.truncated and groups.limit is None:
        raise PageTooLarge(f"There are more than {MAX_GROUPS} groups. Use `first`, `where` or a longer unit.")
    return found


async def _nothing_distinct(table: Table, column: str, where: Predicate | None) -> Collection[object]:
    raise AssertionError(f"{table.name} is guarded as a whole, not by {column}")
