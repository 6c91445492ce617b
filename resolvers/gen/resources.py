"""What a role is assigned to: the whole system, a data source, a dataset, or a table of it."""

from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from loaders.errors import BadInput, NotFound
from loaders.gen.catalog import keep_data_source
from loaders.gen.registered import data_source_name, has_dataset
from loaders.gen.role_assignments import AssignedResource
from loaders.openfga import names
from loaders.openfga.tuples import is_object
from loaders.postgres.write import Transaction
from resolvers.context import Context
from resolvers.gen.store import STORE


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


def assigned(resource: Resource) -> AssignedResource:
    """The resource in the form that `role_assignments` stores."""
    match resource:
        case OfSystem():
            return AssignedResource(resource.type)
        case OfDataSource(id_):
            return AssignedResource(resource.type, data_source_id=id_)
        case OfDataset(id_):
            return AssignedResource(resource.type, dataset_id=id_)
        case OfTable(dataset_id, name):
            return AssignedResource(resource.type, dataset_id=dataset_id, table_name=name)


async def object_of(context: Context, resource: Resource) -> str:
    """The resource's name in OpenFGA. A data source can be renamed at any time; `kept_object` prevents that.

    Raises `NotFound`, and `BadInput` for what cannot be a table's name.
    """
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


async def kept_object(within: Transaction, resource: OfDataSource) -> str:
    """As `object_of`, and locked against renaming until the transaction ends."""
    name = await keep_data_source(within, resource.id)
    if name is None:
        raise NotFound("There is no such data source.")
    return names.datasource(name)


async def _require_dataset(context: Context, id_: UUID) -> None:
    if not await has_dataset(id_, gen=context.stores.postgres[STORE], ledger=context.ledger):
        raise NotFound("There is no such dataset.")
