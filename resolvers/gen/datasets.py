"""Datasets: logical sets of tables of one data source, each with a place in the permissions."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from loaders.errors import BadInput, Conflict, Forbidden, NotFound
from loaders.gen.catalog import Registered, find_dataset, keep_data_source, lock_dataset, part_from_dashboards
from loaders.gen.role_assignments import unassign_dataset
from loaders.gen.stored import DATASETS
from loaders.openfga import names
from loaders.openfga.parents import dataset_parent
from loaders.openfga.roles import assigned_role
from loaders.postgres import row_writes
from loaders.postgres.stored_table import Key
from loaders.read import Value
from loaders.tables.axion_gen.catalog import DatasetGroup
from loaders.tables.describe import describe
from loaders.tables.uuid7 import uuid7
from resolvers.context import Context
from resolvers.gen.data_sources import administered
from resolvers.gen.granting import granting
from resolvers.gen.repeatable import row_once
from resolvers.gen.store import STORE
from resolvers.idempotency import KeyReused, MutationRequest, once
from resolvers.names import checked_name
from resolvers.permissions.guards import Policies
from resolvers.target import require_seen
from resolvers.written import Shape

GROUPS = describe(DatasetGroup, STORE)
NO_POLICIES: Policies = {}


@dataclass(frozen=True, slots=True)
class DatasetCreate:
    """`remote_schema=None` is the data source's default, `table_names=None` all tables of the schema."""

    data_source_id: UUID
    name: str
    description: str | None = None
    dataset_group_id: UUID | None = None
    remote_schema: str | None = None
    table_names: tuple[str, ...] | None = None


async def create_dataset(
    context: Context, input_: DatasetCreate, asked: MutationRequest | None = None, *, policies: Policies = NO_POLICIES
) -> Registered:
    """For those who administer the data source. The tables need not exist yet. `policies` decide which groups are
    visible.

    Raises `NotFound` for a data source that the subject may not see, `Conflict` when it has a dataset of that name, and
    `BadInput` for a group that the subject may not see. For `asked` see `row_once`.
    """
    await administered(context, input_.data_source_id)
    name, schema, tables = checked_name(input_.name), input_.remote_schema, input_.table_names
    new = Registered(uuid7(), name)
    values: dict[str, Value] = {
        "id": new.id,
        "data_source_id": input_.data_source_id,
        "dataset_group_id": input_.dataset_group_id,
        "name": name,
        "description": input_.description,
        "remote_schema": None if schema is None else _shaped(remote_schema, schema, field="remoteSchema"),
        "table_names": None if tables is None else _shaped(table_names, list(tables), field="tableNames"),
    }
    try:
        async with granting(context) as change:

            async def work() -> Registered:
                data_source = await keep_data_source(change.within, input_.data_source_id)
                if data_source is None:
                    raise NotFound("There is no such data source.")
                if (group := input_.dataset_group_id) is not None:
                    await require_seen(context, GROUPS, (group,), change.within, policies, field="datasetGroupId")
                await row_writes.insert(change.within, DATASETS, values)
                await change.note(writes=[dataset_parent(new.id, datasource=data_source)])
                return new

            made = await row_once(context, change.within, asked, DATASETS, work, find=find_dataset)
            change.objects.add(names.dataset(made.id))
    except KeyReused:
        raise
    except Conflict:
        message = f"The data source has a dataset named {name!r} already. Choose another name."
        raise Conflict(message, field="name") from None
    return made


def remote_schema(value: Value) -> Value:
    """The `Shape` of a changed `remote_schema`."""
    if value == "":
        raise ValueError("must not be empty; null is the data source's own")
    return value


def table_names(value: Value) -> Value:
    """The `Shape` of changed `table_names`: each once."""
    if not isinstance(value, list) or not value or not all(value):
        raise ValueError("must name tables; null is all of the schema")
    return list(dict.fromkeys(value))


def _shaped(shape: Shape, value: Value, *, field: str) -> Any:
    try:
        return shape(value)
    except ValueError as error:
        raise BadInput(f"`{field}` {error}.", field=field) from None


async def require_dataset_admin(context: Context, id_: UUID) -> None:
    """Raises `NotFound` for a dataset that the subject may not see, and otherwise `Forbidden` if the subject does not
    administer it.
    """
    object_ = names.dataset(id_)
    can_admin, can_view = await asyncio.gather(
        context.verdicts.check("can_admin", object_), context.verdicts.check("can_view", object_)
    )
    if not (can_admin or can_view):
        raise NotFound("There is no such dataset.")
    if not can_admin:
        raise Forbidden("You may not administer this dataset. Ask an administrator for the permission.")


async def delete_dataset(context: Context, id_: UUID, asked: MutationRequest | None = None) -> None:
    """For those who administer it. What describes the dataset is deleted with it, and so are the assignments of roles
    to it; the remote tables stay.

    Dashboards, which belong to their owners, stay with everything that asks other datasets. Those that were shared with
    the dataset become private. Raises `NotFound` and `Forbidden` as `require_dataset_admin`, which is not asked again
    for a repeated mutation.
    """
    context.verdicts.require_subject()
    async with granting(context) as change:
        within = change.within

        async def work() -> Key:
            await require_dataset_admin(context, id_)
            data_source = await lock_dataset(within, id_)
            if data_source is None:
                raise NotFound("There is no such dataset.")
            roles = [assigned_role(each.role_id, each.object) for each in await unassign_dataset(within, id_)]
            await part_from_dashboards(within, id_)
            await row_writes.delete(within, DATASETS, (id_,))
            await change.note(deletes=[*roles, dataset_parent(id_, datasource=data_source)])
            return (id_,)

        await once(context, within, asked, about=DATASETS.table, work=work)
        change.objects.add(names.dataset(id_))  # also for a repeated mutation, so a retry delivers
