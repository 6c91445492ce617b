"""What a role is assigned to: the whole system, a data source, a dataset, or a table of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast
from uuid import UUID

import sqlalchemy as sa

from loaders.errors import BadInput, NotFound
from loaders.openfga import names
from loaders.openfga.roles import resource_object
from loaders.openfga.tuples import is_object
from loaders.postgres.write import Transaction
from loaders.registered import data_source_name, has_dataset
from loaders.tables.axion_gen.catalog import DataSource
from loaders.tables.axion_gen.role_assignments import RoleAssignment
from resolvers.context import Context
from resolvers.gen.store import STORE

_assignments = cast(sa.Table, RoleAssignment.__table__)
_sources = cast(sa.Table, DataSource.__table__)


@dataclass(frozen=True, slots=True)
class OfSystem:
    """Every data source, dataset and table."""

    type = "system"


@dataclass(frozen=True, slots=True)
class OfDataSource:
    id: UUID
    type = "datasource"


@dataclass(frozen=True, slots=True)
class OfDataset:
    id: UUID
    type = "dataset"


@dataclass(frozen=True, slots=True)
class OfTable:
    dataset_id: UUID
    name: str
    type = "table"


Resource: TypeAlias = OfSystem | OfDataSource | OfDataset | OfTable


def columns(resource: Resource) -> dict[str, object]:
    """The resource as `role_assignments` has it."""
    given: dict[str, object]
    match resource:
        case OfSystem():
            given = {}
        case OfDataSource(id_):
            given = {"data_source_id": id_}
        case OfDataset(id_):
            given = {"dataset_id": id_}
        case OfTable(dataset_id, name):
            given = {"dataset_id": dataset_id, "table_name": name}
    return {"data_source_id": None, "dataset_id": None, "table_name": None, "resource_type": resource.type, **given}


async def object_of(context: Context, resource: Resource) -> str:
    """Its name in OpenFGA, which never changes. `NotFound`, `BadInput` for what cannot be a table's name."""
    match resource:
        case OfSystem():
            return names.SYSTEM
        case OfDataSource(id_):
            name = await data_source_name(id_, gen=context.stores.postgres[STORE], ledger=context.ledger)
            if name is None:
                raise NotFound("There is no such data source.")
            return names.datasource(name)
        case OfDataset(id_):
            await _require_dataset(context, id_)
            return names.dataset(id_)
        case OfTable(dataset_id, name):
            await _require_dataset(context, dataset_id)
            object_ = names.table(dataset_id, name)
            if not name or "\x00" in name or not is_object(object_):
                raise BadInput("A table's name must have 1 to about 200 characters.", field="tableName")
            return object_


async def assigned_objects(within: Transaction, role_id: int) -> Sequence[str]:
    """Names in OpenFGA of all resources of a role."""
    chosen = (
        sa.select(_assignments, _sources.c.name)
        .outerjoin(_sources, _sources.c.id == _assignments.c.data_source_id)
        .where(_assignments.c.role_id == role_id)
    )
    return [
        resource_object(row.resource_type, data_source=row.name, dataset_id=row.dataset_id, table_name=row.table_name)
        for row in await within.rows(chosen)
    ]


async def _require_dataset(context: Context, id_: UUID) -> None:
    if not await has_dataset(id_, gen=context.stores.postgres[STORE], ledger=context.ledger):
        raise NotFound("There is no such dataset.")
