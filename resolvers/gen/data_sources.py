"""Data sources: created with sealed credentials and a place in the permissions, tested against their server."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

import sqlalchemy as sa

from loaders.errors import BadInput, Conflict, Forbidden, NotFound
from loaders.openfga import names
from loaders.openfga.parents import datasource_parent
from loaders.openfga.roles import assigned_role
from loaders.openfga.tuples import is_object
from loaders.postgres.write import Transaction, transaction
from loaders.registered import data_source_name
from loaders.tables.axion_gen.catalog import Dataset, DataSource
from loaders.tables.axion_gen.role_assignments import RoleAssignment
from loaders.warehouses.connectors import connector
from resolvers.context import Context
from resolvers.gen.granting import granting
from resolvers.gen.repeatable import row_once
from resolvers.gen.store import STORE
from resolvers.idempotency import Asked, KeyReused
from resolvers.names import checked_name
from resolvers.permissions.verdicts import Only, Unbounded

_sources = cast(sa.Table, DataSource.__table__)
_datasets = cast(sa.Table, Dataset.__table__)
_assignments = cast(sa.Table, RoleAssignment.__table__)
_NAMED = 5
"""How many of the datasets that are in the way a refusal names."""


@dataclass(frozen=True, slots=True)
class DataSourceCreate:
    """`settings` are all settings of the connector by name; which of them are credentials, the connector knows."""

    name: str
    connector_type: str
    settings: Mapping[str, object] = field(repr=False)
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """A connection test that succeeded: how long connecting, authenticating and looking took."""

    ms: float


async def create_data_source(context: Context, input_: DataSourceCreate, asked: Asked | None = None) -> DataSource:
    """For system admins. Does not dial the server: a data source may be prepared before its server is up.

    `BadInput` for settings the connector does not take, `Conflict` when the name is taken. Of `asked`, see `row_once`.
    """
    await context.verdicts.require_admin()
    name = _permitted_name(input_.name)
    row = DataSource(name=name, description=input_.description, connector_type=input_.connector_type)
    _configure(row, input_.settings, context)
    try:
        async with granting(context) as change:

            async def work() -> DataSource:
                change.within.session.add(row)
                await change.within.session.flush()
                await change.note(writes=[datasource_parent(name)])
                return row

            made = await row_once(context, change.within, asked, DataSource, work)
            change.objects.add(names.datasource(made.name))
    except KeyReused:
        raise
    except Conflict:
        raise Conflict(f"A data source named {name!r} exists already. Choose another name.") from None
    return made


@dataclass(frozen=True, slots=True)
class DataSourceUpdate:
    """`settings` replace all settings of the connector; `None` keeps what is stored.

    `patch` has the other columns to change, of `description`; None is for null.
    """

    id: UUID
    settings: Mapping[str, object] | None = field(default=None, repr=False)
    patch: Mapping[str, str | None] = field(default_factory=dict)


async def update_data_source(context: Context, input_: DataSourceUpdate, asked: Asked | None = None) -> DataSource:
    """For who administers it. What still streams from the old settings ends undisturbed; new reads use the new ones.

    `BadInput` for settings the connector does not take, and for no change; `NotFound`, `Forbidden`. Of `asked`, see
    `row_once`.
    """
    await administered(context, input_.id)
    if input_.settings is None and not input_.patch:
        raise BadInput("Nothing is to be changed. Give at least one field.")
    async with transaction(context.stores.postgres[STORE], context.ledger) as within:

        async def work() -> DataSource:
            row = await within.session.get(DataSource, input_.id, with_for_update=True)
            if row is None:
                raise NotFound("There is no such data source.")
            if input_.settings is not None:
                _configure(row, input_.settings, context)
            if "description" in input_.patch:
                row.description = input_.patch["description"]
            return row

        changed = await row_once(context, within, asked, DataSource, work)
    context.stores.warehouses.forget(input_.id)
    return changed


async def delete_data_source(context: Context, id_: UUID) -> str:
    """For system admins. The name it had, which is free from then on; nothing is left of it in the permissions.

    `Conflict` while datasets are over it, which names them: what hangs on those (widgets, profiles, metrics) is not
    lost by the way. `NotFound`. A process that has it open closes it within seconds; what still streams from it ends
    undisturbed.
    """
    await context.verdicts.require_admin()
    async with granting(context) as change:
        within = change.within
        found = await within.rows(sa.select(_sources.c.name).where(_sources.c.id == id_).with_for_update())
        if not found:
            raise NotFound("There is no such data source.")
        name = str(found[0].name)
        await _refuse_with_datasets(id_, name, within)
        object_ = names.datasource(name)
        of_source = _assignments.c.data_source_id == id_
        assigned = await within.rows(sa.delete(_assignments).where(of_source).returning(_assignments.c.role_id))
        await within.rows(sa.delete(_sources).where(_sources.c.id == id_))
        tuples = [datasource_parent(name), *(assigned_role(row.role_id, object_) for row in assigned)]
        # and what is there without a row, as one who takes the name later must not inherit it
        tuples += [tuple_ async for tuple_ in context.stores.openfga.read(object_=object_, ledger=context.ledger)]
        await change.note(deletes=list(dict.fromkeys(tuples)))
    context.stores.warehouses.forget(id_)
    return name


async def _refuse_with_datasets(id_: UUID, name: str, within: Transaction) -> None:
    """The data source's row is locked, so nobody adds one meanwhile."""
    over = sa.select(_datasets.c.name).where(_datasets.c.data_source_id == id_).order_by(_datasets.c.name)
    there = [repr(row.name) for row in await within.rows(over)]
    if there:
        more = f" and {len(there) - _NAMED} more" if len(there) > _NAMED else ""
        raise Conflict(f"Datasets are over data source {name!r}: {', '.join(there[:_NAMED])}{more}. Delete them first.")


async def test_data_source(context: Context, id_: UUID) -> Reached:
    """For who administers it. Raises the store's error, which says what failed: address, credentials or database."""
    await administered(context, id_)
    context.stores.warehouses.forget(id_)
    warehouse = await context.stores.warehouses.open(id_, ledger=context.ledger)
    started = time.monotonic()
    await warehouse.ping(ledger=context.ledger)
    return Reached((time.monotonic() - started) * 1000)


async def administered(context: Context, id_: UUID) -> str:
    """The name of a data source the subject may administer.

    `NotFound` when there is none or it may not even be seen, so that ids cannot be guessed; else `Forbidden`.
    One that may not be seen is not read either, as long as those that may be can be listed.
    """
    context.verdicts.require_subject()
    seen = await context.verdicts.visible("datasource", "can_view")  # as everyone sees who administers it
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


def _configure(row: DataSource, settings: object, context: Context) -> None:
    """Puts all settings into the row: what may be shown as options, the credentials sealed."""
    if not isinstance(settings, Mapping):
        raise BadInput("`settings` must be one object of the connector's settings by name.", field="settings")
    options, credentials = connector(row.connector_type).split(settings)
    sealed = context.stores.keyring.seal(credentials.to_bytes())
    row.options = options.model_dump(mode="json")
    row.encrypted_credentials, row.nonce, row.tag = sealed.ciphertext, sealed.nonce, sealed.tag
    row.key_version = sealed.key_version


def _permitted_name(name: str) -> str:
    """A name that permissions can refer to."""
    permitted = checked_name(name)
    if not is_object(names.datasource(permitted)):
        raise BadInput("`name` is too long for permissions to refer to: take a shorter one.", field="name")
    return permitted
