"""The remote tables of a dataset, as far as the subject may see them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from loaders.description import Table
from loaders.errors import UnknownTable
from loaders.openfga import names
from loaders.openfga.tuples import RelationTuple, is_object
from loaders.warehouses.base import Estimate, Estimates, RemoteTable
from loaders.warehouses.bounded import Bounded
from resolvers.context import Context
from resolvers.gen.data_sources import STORE

_DATASET = "SELECT data_source_id, remote_schema, table_names FROM public.datasets WHERE id = $1"


@dataclass(frozen=True, slots=True)
class _Tables:
    """Where the tables of a dataset are. `only=None` is all of the schema."""

    dataset_id: UUID
    warehouse: Bounded
    schema: str | None
    only: frozenset[str] | None

    def has(self, name: str) -> bool:
        return self.only is None or name in self.only


async def list_tables(context: Context, dataset_id: UUID) -> Sequence[RemoteTable]:
    """The tables the subject may see (`can_view`), ordered by name; none of a dataset that does not exist.

    The first listing of a table writes its parent tuple (reference, GetTablesOperation). Raises the store's error
    when the data source cannot be listed, `PermissionsUnavailable` without verdicts.
    """
    if context.subject.is_anonymous:
        return []
    tables = await _tables(context, dataset_id)
    if tables is None:
        return []
    listed = await tables.warehouse.list_tables(tables.schema, ledger=context.ledger)
    found = [table for table in listed if tables.has(table.name)]
    await _write_parents(context, dataset_id, [table.name for table in found])
    if await context.verdicts.check("can_view_table", names.dataset(dataset_id)):
        return found
    visible = await asyncio.gather(*(can_view(context, dataset_id, table.name) for table in found))
    return [table for table, allowed in zip(found, visible, strict=True) if allowed]


async def describe_table(context: Context, dataset_id: UUID, name: str) -> Table | None:
    """The table's columns, or None when there is none or the subject may not see it: the two are not told apart.

    Its warehouse is then in `context.stores.warehouses.opened` under `table.store`.
    """
    tables = await _visible(context, dataset_id, name)
    if tables is None:
        return None
    try:
        return await tables.warehouse.describe(name, tables.schema, ledger=context.ledger)
    except UnknownTable:
        return None


async def estimate_table(context: Context, dataset_id: UUID, name: str) -> Estimate | None:
    """Rows and bytes from metadata; None as for `describe_table`. Unknown to a warehouse that cannot estimate."""
    tables = await _visible(context, dataset_id, name)
    if tables is None:
        return None
    if not isinstance(tables.warehouse, Estimates):
        return Estimate(None, None)
    try:
        return await tables.warehouse.estimate(name, tables.schema, ledger=context.ledger)
    except UnknownTable:
        return None


async def can_view(context: Context, dataset_id: UUID, name: str) -> bool:
    """The question carries the dataset as the table's parent, so a table that was never listed is judged as well."""
    return await context.verdicts.check("can_view", names.table(dataset_id, name), parent=names.dataset(dataset_id))


async def _visible(context: Context, dataset_id: UUID, name: str) -> _Tables | None:
    if context.subject.is_anonymous or not await can_view(context, dataset_id, name):
        return None
    tables = await _tables(context, dataset_id)
    return tables if tables is not None and tables.has(name) else None


async def _tables(context: Context, dataset_id: UUID) -> _Tables | None:
    rows = await context.stores.postgres[STORE].fetch(_DATASET, dataset_id, ledger=context.ledger)
    if not rows:
        return None
    warehouse = await context.stores.warehouses.open(rows[0]["data_source_id"], ledger=context.ledger)
    only = rows[0]["table_names"]
    return _Tables(dataset_id, warehouse, rows[0]["remote_schema"], None if only is None else frozenset(only))


async def _write_parents(context: Context, dataset_id: UUID, found: Sequence[str]) -> None:
    listed = context.stores.warehouses.listed
    unseen = listed.unseen(dataset_id, found)
    if not unseen:
        return
    parent = names.dataset(dataset_id)
    objects = [names.table(dataset_id, name) for name in sorted(unseen)]
    tuples = [RelationTuple(parent, "parent", object_) for object_ in objects if is_object(object_)]
    await context.stores.openfga.write(tuples, ledger=context.ledger)
    listed.remember(dataset_id, unseen)
