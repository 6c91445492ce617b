"""Data sources: created with sealed credentials and a place in the permissions, and tested against their server."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from loaders.errors import BadInput, Conflict, Forbidden, NotFound
from loaders.gen.catalog import Registered, dataset_ids_over, datasets_over, find_data_source, lock_data_source
from loaders.gen.registered import data_source_name
from loaders.gen.role_assignments import unassign_data_source
from loaders.gen.stored import DATA_SOURCES
from loaders.openfga import names
from loaders.openfga.parents import datasource_parent
from loaders.openfga.roles import assigned_role
from loaders.openfga.tuples import is_object
from loaders.postgres import row_writes
from loaders.postgres.write import Transaction
from loaders.read import Value
from loaders.secrets.sealed_columns import sealed_columns
from loaders.tables.uuid7 import uuid7
from loaders.warehouses.connectors import connector
from resolvers.context import Context
from resolvers.expected import ChangedSince, require_unchanged
from resolvers.gen.data_source_names import NotFreeYet, move_permissions, require_free
from resolvers.gen.granting import granting
from resolvers.gen.repeatable import row_once
from resolvers.gen.store import STORE
from resolvers.idempotency import KeyReused, MutationRequest, once_told
from resolvers.names import checked_name
from resolvers.permissions.verdicts import Only, Unbounded

_NAMED = 5
"""How many of the datasets that prevent a deletion its refusal names."""


@dataclass(frozen=True, slots=True)
class DataSourceCreate:
    """`settings` are all settings of the connector by name; the connector knows which of them are credentials."""

    name: str
    connector_type: str
    settings: Mapping[str, object] = field(repr=False)
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """A successful connection test, and how long it took to connect, authenticate and look."""

    ms: float


async def create_data_source(
    context: Context, input_: DataSourceCreate, asked: MutationRequest | None = None
) -> Registered:
    """For system admins. Does not connect to the server, so a data source may be prepared before its server is up.

    Raises `BadInput` for settings that the connector does not accept, and `Conflict` when the name is taken. For
    `asked` see `row_once`.
    """
    await context.verdicts.require_admin()
    name = _permitted_name(input_.name)
    new = Registered(uuid7(), name)
    values = {
        "id": new.id,
        "name": name,
        "description": input_.description,
        "connector_type": input_.connector_type,
        **_settings(input_.settings, input_.connector_type, context),
    }
    try:
        async with granting(context) as change:

            async def work() -> Registered:
                await row_writes.insert(change.within, DATA_SOURCES, values)
                await require_free(change, name)
                await change.note(writes=[datasource_parent(name)])
                return new

            made = await row_once(context, change.within, asked, DATA_SOURCES, work, find=find_data_source)
            change.objects.add(names.datasource(made.name))
    except (KeyReused, NotFreeYet):
        raise
    except Conflict:
        raise _taken(name) from None
    return made


@dataclass(frozen=True, slots=True)
class DataSourceUpdate:
    """`settings` replace all settings of the connector; `None` keeps what is stored.

    `patch` has the other columns to change, of `name` and `description`; None means null. `expected_updated_at` is what
    the caller has read.
    """

    id: UUID
    settings: Mapping[str, object] | None = field(default=None, repr=False)
    patch: Mapping[str, str | None] = field(default_factory=dict)
    expected_updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DataSourceChanged:
    """`objects` are the OpenFGA objects whose permissions have changed: after a rename those of its datasets, too."""

    id: UUID
    name: str
    objects: tuple[str, ...]


async def update_data_source(
    context: Context, input_: DataSourceUpdate, asked: MutationRequest | None = None
) -> DataSourceChanged:
    """For those who administer it; its name, which permissions contain, is for system admins. Streams under the old
    settings end undisturbed; new reads use the new ones.

    Raises `BadInput` for settings that the connector does not accept, and when nothing is changed; `Conflict` when the
    name is taken, or the row was changed since it was read; `NotFound`, `Forbidden`. For `asked` see `row_once`.
    """
    await administered(context, input_.id)
    if input_.settings is None and not input_.patch:
        raise BadInput("Nothing is to be changed. Give at least one field.")
    patch: dict[str, Value] = {**input_.patch}
    if "name" in patch:
        await context.verdicts.require_admin()
        patch["name"] = _permitted_name(input_.patch["name"])
    try:
        async with granting(context) as change:

            async def work() -> Registered:
                stored = await lock_data_source(change.within, input_.id)
                if stored is None:
                    raise NotFound("There is no such data source.")
                require_unchanged(stored.updated_at, input_.expected_updated_at)
                values = dict(patch)
                if input_.settings is not None:
                    values |= _settings(input_.settings, stored.connector_type, context)
                await row_writes.update(change.within, DATA_SOURCES, (input_.id,), values)
                name = str(patch.get("name", stored.name))
                if name != stored.name:
                    await move_permissions(context, change, input_.id, old=stored.name, new=name)
                return Registered(input_.id, name)

            changed = await row_once(context, change.within, asked, DATA_SOURCES, work, find=find_data_source)
            if "name" in patch:  # also for a repeated mutation, so that a retry delivers its permissions
                change.objects.add(names.datasource(changed.name))
                change.objects.update(map(names.dataset, await dataset_ids_over(change.within, input_.id)))
    except (KeyReused, NotFreeYet, ChangedSince):
        raise
    except Conflict:
        raise _taken(str(patch.get("name"))) from None
    finally:  # also when waiting for the delivery of permissions was cancelled
        context.stores.warehouses.forget(input_.id)
    return DataSourceChanged(changed.id, changed.name, tuple({names.datasource(changed.name), *change.objects}))


async def delete_data_source(context: Context, id_: UUID, asked: MutationRequest | None = None) -> str:
    """For system admins. Returns its former name, which is free from then on; no permissions are left.

    Raises `Conflict`, which names the datasets over it, while there are any, so that what belongs to them (widgets,
    profiles, metrics) is not lost by accident; `NotFound`. For `asked` see `once_told`. Processes close their
    connections within seconds; streams end undisturbed.
    """
    await context.verdicts.require_admin()
    async with granting(context) as change:
        within = change.within

        async def work() -> list[str]:
            stored = await lock_data_source(within, id_)
            if stored is None:
                raise NotFound("There is no such data source.")
            name = stored.name
            await _refuse_with_datasets(id_, name, within)
            object_ = names.datasource(name)
            assigned = await unassign_data_source(within, id_, name=name)
            await row_writes.delete(within, DATA_SOURCES, (id_,))
            tuples = [datasource_parent(name), *(assigned_role(each.role_id, each.object) for each in assigned)]
            # also tuples without a row: a later data source of this name must not inherit them
            tuples += [tuple_ async for tuple_ in context.stores.openfga.read(object_=object_, ledger=context.ledger)]
            await change.note(deletes=list(dict.fromkeys(tuples)))
            return [name]

        (name,) = await once_told(context, within, asked, work)
        change.objects.add(names.datasource(name))  # also for a repeated mutation, so a retry delivers
    context.stores.warehouses.forget(id_)
    return name


async def _refuse_with_datasets(id_: UUID, name: str, within: Transaction) -> None:
    """Refuses the deletion when there are datasets. The data source's row is locked, so none is added meanwhile."""
    there = [repr(dataset) for dataset in await datasets_over(within, id_)]
    if there:
        more = f" and {len(there) - _NAMED} more" if len(there) > _NAMED else ""
        raise Conflict(f"Datasets are over data source {name!r}: {', '.join(there[:_NAMED])}{more}. Delete them first.")


async def test_data_source(context: Context, id_: UUID) -> Reached:
    """For those who administer it. Raises the store's error, which says what failed: address, credentials or
    database.
    """
    await administered(context, id_)
    context.stores.warehouses.forget(id_)
    warehouse = await context.stores.warehouses.open(id_, ledger=context.ledger)
    started = time.monotonic()
    await warehouse.ping(ledger=context.ledger)
    return Reached((time.monotonic() - started) * 1000)


async def administered(context: Context, id_: UUID) -> str:
    """The name of a data source that the subject may administer.

    Raises `NotFound` if it does not exist or may not even be seen, so that ids cannot be guessed, and otherwise
    `Forbidden`. A data source that may not be seen is not read either, as long as the visible ones can be listed.
    """
    context.verdicts.require_subject()
    seen = await context.verdicts.visible("datasource", "can_view")  # everyone who administers it also sees it
    listed = sorted(seen.ids) if isinstance(seen, Only) else None
    name = None
    if listed != []:
        gen = context.stores.postgres[STORE]
        name = await data_source_name(id_, among=listed, gen=gen, ledger=context.ledger)
    object_ = names.datasource(name if name is not None else str(id_))
    if isinstance(seen, Unbounded) and not await context.verdicts.check("can_view", object_):
        name = None
    if name is None:
        raise NotFound("There is no such data source.")
    if not await context.verdicts.check("can_admin", object_):
        raise Forbidden("You may not administer this data source. Ask an administrator for the permission.")
    return name


def _taken(name: str) -> Conflict:
    return Conflict(f"A data source named {name!r} exists already. Choose another name.", field="name")


def _settings(settings: object, connector_type: str, context: Context) -> dict[str, Value]:
    """All settings, by column: the options that may be shown, and the credentials, sealed."""
    if not isinstance(settings, Mapping):
        raise BadInput("`settings` must be one object of the connector's settings by name.", field="settings")
    options, credentials = connector(connector_type).split(settings)
    sealed = context.stores.keyring.seal(credentials.to_bytes())
    return {"options": options.model_dump(mode="json"), **sealed_columns(sealed, "encrypted_credentials")}


def _permitted_name(name: str | None) -> str:
    """Checks that permission tuples can refer to the name."""
    permitted = checked_name(name)
    if not is_object(names.datasource(permitted)):
        raise BadInput("`name` is too long for permissions to refer to: take a shorter one.", field="name")
    return permitted
