"""The tuples that the databases' rows imply, and the objects that tuples may refer to, as streams."""

from collections.abc import AsyncIterator
from typing import Any, cast

import sqlalchemy as sa

from loaders.openfga import names
from loaders.openfga.parents import dataset_parent, datasource_parent
from loaders.openfga.roles import FLAGS, administration, assigned_role, assignee, flag, resource_object, role_parent
from loaders.openfga.tuples import RelationTuple, is_object
from loaders.postgres.client import WriteSession
from loaders.tables.auradb.workspaces import Workspace
from loaders.tables.axion_gen.catalog import Dataset, DataSource
from loaders.tables.axion_gen.identity import ADMIN_ROLE_ID, Role, User, UserRole
from loaders.tables.axion_gen.profiles import TableProfile
from loaders.tables.axion_gen.role_assignments import RoleAssignment
from loaders.tables.axion_sense import public as sense
from loaders.tables.powernode.accounts import Account

_AT_ONCE = 1_000

TYPES = {
    "axion_gen": ("system", "datasource", "dataset", "table", "role"),
    "axion_sense": ("organization",),
    "auradb": ("workspace",),
    "powernode": ("account",),
}
"""The databases whose rows define which objects exist."""


async def objects(session: WriteSession, store: str) -> AsyncIterator[str]:
    """Names of all objects of the store, without tables, which exist if their dataset does."""
    match store:
        case "axion_gen":
            yield names.SYSTEM
            async for row in _rows(session, sa.select(DataSource.name)):
                yield names.datasource(row.name)
            async for row in _rows(session, sa.select(Dataset.id)):
                yield names.dataset(row.id)
            async for row in _rows(session, sa.select(Role.id)):
                yield names.role(row.id)
        case "axion_sense":
            async for row in _rows(session, sa.select(sense.Organization.id)):
                yield names.organization(row.id)
        case "auradb":
            async for row in _rows(session, sa.select(Workspace.id)):
                yield names.workspace(row.id)
        case "powernode":
            async for row in _rows(session, sa.select(Account.id)):
                yield names.account(row.id)


async def tuples(session: WriteSession, store: str) -> AsyncIterator[RelationTuple]:
    """The tuples implied by rows of the store. Memberships of workspaces and accounts have no rows, only tuples."""
    match store:
        case "axion_gen":
            async for tuple_ in _catalog(session):
                yield tuple_
            async for tuple_ in _roles(session):
                yield tuple_
        case "axion_sense":
            members = sa.select(
                sense.UserOrg.organization_id, sense.UserOrg.expires_at, sense.User.external_auth_id
            ).join(sense.User, sense.User.id == sense.UserOrg.user_id)
            async for row in _rows(session, members):
                member, organization = names.user(row.external_auth_id), names.organization(row.organization_id)
                yield RelationTuple(member, "member", organization, row.expires_at)


async def _catalog(session: WriteSession) -> AsyncIterator[RelationTuple]:
    """Parents of data sources, of datasets, and of tables that a profile, dataset or assignment names."""
    async for row in _rows(session, sa.select(DataSource.name)):
        yield datasource_parent(row.name)
    datasets = sa.select(Dataset.id, DataSource.name).join(DataSource, Dataset.data_source_id == DataSource.id)
    async for row in _rows(session, datasets):
        yield dataset_parent(row.id, datasource=row.name)
    chosen = sa.select(Dataset.id.label("dataset_id"), sa.func.unnest(Dataset.table_names).label("table_name"))
    profiled = sa.select(TableProfile.dataset_id, TableProfile.table_name)
    assigned = sa.select(RoleAssignment.dataset_id, RoleAssignment.table_name)
    tables = sa.union(chosen, profiled, assigned.where(RoleAssignment.resource_type == "table"))
    async for row in _rows(session, tables):
        object_ = names.table(row.dataset_id, row.table_name)
        if is_object(object_):  # a longer name has no tuples: checks carry its dataset
            yield RelationTuple(names.dataset(row.dataset_id), "parent", object_)


async def _roles(session: WriteSession) -> AsyncIterator[RelationTuple]:
    """Flags, parents, active holders and assignments. Whoever holds the built-in role Admin administers the system."""
    yield administration(ADMIN_ROLE_ID)
    async for row in _rows(session, sa.select(cast(sa.Table, Role.__table__))):
        for name in FLAGS:
            if getattr(row, name):
                yield flag(row.id, name)
        if row.parent_role_id is not None:
            yield role_parent(row.id, parent_id=row.parent_role_id)
    held = sa.select(UserRole.role_id, User.external_auth_id).join(User, User.id == UserRole.user_id)
    async for row in _rows(session, held.where(User.is_active)):
        yield assignee(row.role_id, row.external_auth_id)
    assigned = sa.select(cast(sa.Table, RoleAssignment.__table__), DataSource.name)
    async for row in _rows(session, assigned.outerjoin(DataSource, DataSource.id == RoleAssignment.data_source_id)):
        object_ = resource_object(
            row.resource_type, data_source=row.name, dataset_id=row.dataset_id, table_name=row.table_name
        )
        yield assigned_role(row.role_id, object_)


async def _rows(session: WriteSession, statement: Any) -> AsyncIterator[sa.Row[Any]]:
    async for row in await session.stream(statement, execution_options={"yield_per": _AT_ONCE}):
        yield row
