"""Data sources and their datasets, for the mutations that change them. Each function is one statement.

`loaders/gen/registered.py` has look-ups outside of a transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from loaders.gen.stored import DASHBOARDS, DATA_SOURCES, DATASETS
from loaders.postgres.write import Transaction

_sources: Final = DATA_SOURCES.model
_datasets: Final = DATASETS.model
_dashboards: Final = DASHBOARDS.model


@dataclass(frozen=True, slots=True)
class Registered:
    """A data source or a dataset."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class LockedDataSource:
    name: str
    connector_type: str
    updated_at: datetime


async def find_data_source(within: Transaction, id_: UUID) -> Registered | None:
    return await _find(within, _sources, id_)


async def find_dataset(within: Transaction, id_: UUID) -> Registered | None:
    return await _find(within, _datasets, id_)


async def lock_data_source(within: Transaction, id_: UUID) -> LockedDataSource | None:
    """The data source, locked until the transaction ends against changes, deletion and new datasets."""
    columns = (_sources.c.name, _sources.c.connector_type, _sources.c.updated_at)
    rows = await within.rows(sa.select(*columns).where(_sources.c.id == id_).with_for_update())
    return LockedDataSource(rows[0].name, rows[0].connector_type, rows[0].updated_at) if rows else None


async def keep_data_source(within: Transaction, id_: UUID) -> str | None:
    """The data source's name, locked against changes until the transaction ends. The lock is shared."""
    chosen = sa.select(_sources.c.name).where(_sources.c.id == id_).with_for_update(read=True, key_share=True)
    rows = await within.rows(chosen)
    return str(rows[0].name) if rows else None


async def dataset_ids_over(within: Transaction, data_source_id: UUID) -> Sequence[UUID]:
    over = sa.select(_datasets.c.id).where(_datasets.c.data_source_id == data_source_id).order_by(_datasets.c.id)
    return [row.id for row in await within.rows(over)]


async def datasets_over(within: Transaction, data_source_id: UUID) -> Sequence[str]:
    """The names of the data source's datasets, in order."""
    over = sa.select(_datasets.c.name).where(_datasets.c.data_source_id == data_source_id).order_by(_datasets.c.name)
    return [str(row.name) for row in await within.rows(over)]


async def lock_dataset(within: Transaction, id_: UUID) -> str | None:
    """The name of the dataset's data source. Both rows are locked against changes and deletion until the transaction
    ends.
    """
    source = sa.select(_sources.c.name).join(_datasets, _datasets.c.data_source_id == _sources.c.id)
    found = await within.rows(source.where(_datasets.c.id == id_).with_for_update(of=(_datasets, _sources)))
    return str(found[0].name) if found else None


async def part_from_dashboards(within: Transaction, id_: UUID) -> None:
    """Separates dashboards from the dataset. Those shared with it become private, since nobody is left to share them
    with.
    """
    parted = sa.update(_dashboards).where(_dashboards.c.dataset_id == id_)
    private = sa.case((_dashboards.c.visibility == "dataset", "private"), else_=_dashboards.c.visibility)
    await within.rows(parted.values(dataset_id=None, visibility=private))


async def _find(within: Transaction, table: sa.Table, id_: UUID) -> Registered | None:
    rows = await within.rows(sa.select(table.c.id, table.c.name).where(table.c.id == id_))
    return Registered(rows[0].id, rows[0].name) if rows else None
