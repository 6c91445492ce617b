"""The remote tables of a dataset that the subject may see."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from loaders.description import Table
from loaders.openfga import names
from loaders.openfga.tuples import RelationTuple, is_object
from loaders.warehouses.base import Estimate, RemoteTable
from loaders.warehouses.metadata_loaders import TableName
from loaders.warehouses.places import Place
from resolvers.context import Context


async def list_tables(context: Context, dataset_id: UUID) -> Sequence[RemoteTable]:
    """The tables the subject may see (`can_view`), ordered by name; empty for a dataset that does not exist.

    The first listing of a table writes its parent tuple (reference, GetTablesOperation). Raises the store's error when
    the data source cannot be listed, `PermissionsUnavailable` without verdicts.
    """
    if context.subject.is_anonymous:
        return []
    place = await _place(context, dataset_id)
    if place is None:
        return []
    listed = await asyncio.shield(context.gen.listings.load(place.space))
    found = [table for table in listed if place.has(table.name)]
    await _write_parents(context, dataset_id, [table.name for table in found])
    if await context.verdicts.check("can_view_table", names.dataset(dataset_id)):
        return found
    visible = await asyncio.gather(*(can_view(context, dataset_id, table.name) for table in found))
    return [table for table, allowed in zip(found, visible, strict=True) if allowed]


async def describe_table(context: Context, dataset_id: UUID, name: str) -> Table | None:
    """The table's columns; None when it does not exist or the subject may not see it, without distinguishing the two.

    Tables and columns that curation hides do not exist here, for any subject. Afterwards
    `context.stores.warehouses.opened` has the warehouse under `table.store`.
    """
    table = await describe_whole(context, dataset_id, name)
    place = None if table is None else await _place(context, dataset_id)
    return None if table is None or place is None else place.shown(table)


async def describe_whole(context: Context, dataset_id: UUID, name: str) -> Table | None:
    """As `describe_table`, including the columns that curation hides: none of their values may be read."""
    table = await _visible(context, dataset_id, name)
    return None if table is None else await asyncio.shield(context.gen.tables.load(table))


async def estimate_table(context: Context, dataset_id: UUID, name: str) -> Estimate | None:
    """Rows and bytes from metadata; None as for `describe_table`. Both are None when the warehouse cannot estimate."""
    table = await _visible(context, dataset_id, name)
    return None if table is None else await asyncio.shield(context.gen.estimates.load(table))


async def can_view(context: Context, dataset_id: UUID, name: str) -> bool:
    """Whether the subject may see the table. The check names the dataset as the table's parent, so it also decides
    about tables that were never listed.
    """
    return await context.verdicts.check("can_view", names.table(dataset_id, name), parent=names.dataset(dataset_id))


async def _visible(context: Context, dataset_id: UUID, name: str) -> TableName | None:
    if context.subject.is_anonymous or not await can_view(context, dataset_id, name):
        return None
    place = await _place(context, dataset_id)
    return TableName(place.space, name) if place is not None and place.has(name) else None


async def _place(context: Context, dataset_id: UUID) -> Place | None:
    return await asyncio.shield(context.gen.places.load(dataset_id))


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
