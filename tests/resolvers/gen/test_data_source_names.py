"""The permissions of a renamed data source follow it, whatever else happens at the same time."""

import asyncio
from uuid import UUID

import pytest

from loaders.errors import BadInput, Conflict, Forbidden
from loaders.ledger import Ledger
from loaders.openfga import outbox
from loaders.openfga.roles import assigned_role
from loaders.openfga.tuples import RelationTuple
from loaders.postgres.write import transaction
from resolvers.gen import data_sources, datasets, role_assignments, roles
from resolvers.gen.data_sources import DataSourceCreate, DataSourceUpdate
from resolvers.gen.datasets import DatasetCreate
from resolvers.gen.granting import pending
from resolvers.gen.resources import OfDataSource
from resolvers.gen.roles import RoleCreate
from resolvers.idempotency import MutationRequest
from tests.resolvers.gen.conftest import As, GenStores

ASKED = MutationRequest("m", "m", None)
pytestmark = pytest.mark.usefixtures("seeded")
OLD, NEW = "datasource:old", "datasource:new"


async def tuples(stores: GenStores, object_: str) -> set[tuple[str, str]]:
    return {(each.user, each.relation) async for each in stores.openfga.read(object_=object_, ledger=Ledger())}


async def source(as_: As, name: str = "old") -> UUID:
    create = DataSourceCreate(name, "clickhouse", {"url": "http://h"})
    return (await data_sources.create_data_source(as_("admin"), create)).id


async def rename(as_: As, id_: UUID, name: str | None, *, who: str = "admin") -> None:
    await data_sources.update_data_source(as_(who), DataSourceUpdate(id_, patch={"name": name}))


async def role_at(as_: As, id_: UUID, **flags: bool) -> int:
    role = await roles.create_role(as_("admin"), ASKED, RoleCreate("Roads"))
    await roles.set_role_flags(as_("admin"), ASKED, roles.RoleFlags(role, flags))
    await role_assignments.assign_resource(as_("admin"), ASKED, role, OfDataSource(id_))
    await role_assignments.assign_user(as_("admin"), ASKED, role, 1)
    return role


async def test_what_roles_may_do_follows(as_: As, stores: GenStores) -> None:
    id_ = await source(as_)
    dataset = await datasets.create_dataset(as_("admin"), DatasetCreate(id_, "d"))
    role = await role_at(as_, id_, has_view_dataset=True)
    assert await as_("ann").verdicts.check("can_view", f"dataset:{dataset.id}")
    await rename(as_, id_, "new")
    assert await tuples(stores, OLD) == set()
    assert await tuples(stores, NEW) == {("system:axion-gen", "parent"), (f"role:{role}", "assigned_role")}
    assert await tuples(stores, f"dataset:{dataset.id}") == {(NEW, "parent")}
    assert await as_("ann").verdicts.check("can_view", f"dataset:{dataset.id}")
    assert not await as_("bob").verdicts.check("can_view", f"dataset:{dataset.id}")
    other = await source(as_)  # the old name is free, and inherits nothing
    theirs = await datasets.create_dataset(as_("admin"), DatasetCreate(other, "d"))
    assert not await as_("ann").verdicts.check("can_view", f"dataset:{theirs.id}")


async def test_it_is_pending_while_permissions_of_its_datasets_are(as_: As, stores: GenStores) -> None:
    id_ = await source(as_)
    dataset = (await datasets.create_dataset(as_("admin"), DatasetCreate(id_, "d"))).id
    done = await data_sources.update_data_source(as_("admin"), DataSourceUpdate(id_, patch={"name": "new"}))
    assert set(done.objects) == {OLD, NEW, f"dataset:{dataset}"}
    assert not await pending(as_("admin"), done.objects)
    async with transaction(stores.postgres["axion_gen"], Ledger()) as within:
        await outbox.note(within.session, deletes=[assigned_role(7, f"dataset:{dataset}")])
    assert await pending(as_("admin"), done.objects)


async def test_what_no_row_says_is_not_carried_over(as_: As, stores: GenStores) -> None:
    id_ = await source(as_)
    await stores.openfga.write([RelationTuple("role:77", "assigned_role", OLD)], ledger=Ledger())
    await rename(as_, id_, "new")
    assert await tuples(stores, OLD) == set()
    assert await tuples(stores, NEW) == {("system:axion-gen", "parent")}


async def test_for_system_administrators(as_: As, stores: GenStores) -> None:
    """Who administers it through a role changes what it says, not what permissions call it."""
    id_ = await source(as_)
    await role_at(as_, id_, has_admin_datasource=True)
    await data_sources.update_data_source(as_("ann"), DataSourceUpdate(id_, patch={"description": "Mine."}))
    with pytest.raises(Forbidden):
        await rename(as_, id_, "new", who="ann")
    assert await tuples(stores, NEW) == set()


async def test_a_name_that_cannot_be(as_: As, stores: GenStores) -> None:
    id_ = await source(as_)
    await source(as_, "new")
    with pytest.raises(Conflict, match="'new' exists") as taken:
        await rename(as_, id_, "new")
    assert taken.value.field == "name"
    for name in ("", "x" * 300, None):
        with pytest.raises(BadInput, match="`name`"):
            await rename(as_, id_, name)
    await rename(as_, id_, "old")  # its own
    assert await tuples(stores, OLD) == {("system:axion-gen", "parent")}


async def test_a_name_whose_permissions_are_still_taken_back(as_: As, stores: GenStores) -> None:
    """Who had roles at the one that was called so would have them at the next."""
    id_ = await source(as_)
    gen, ledger = stores.postgres["axion_gen"], Ledger()
    async with transaction(gen, ledger) as within:
        await outbox.note(within.session, deletes=[assigned_role(7, NEW)])
    with pytest.raises(Conflict, match="moment") as taken:
        await source(as_, "new")
    assert taken.value.field == "name"
    with pytest.raises(Conflict, match="moment"):
        await rename(as_, id_, "new")
    assert await tuples(stores, OLD) == {("system:axion-gen", "parent")}
    await outbox.settle(gen, stores.openfga, {NEW}, ledger=ledger)
    await rename(as_, id_, "new")


async def test_whatever_is_done_meanwhile_is_done_to_the_new_name(as_: As, stores: GenStores) -> None:
    """Datasets are put over it, and deleted, and roles assigned to it, taken from it and deleted, as it is renamed."""
    id_ = await source(as_)
    there = [(await datasets.create_dataset(as_("admin"), DatasetCreate(id_, f"there{i}"))).id for i in range(3)]
    given = [await roles.create_role(as_("admin"), ASKED, RoleCreate(f"Role {i}")) for i in range(4)]
    for role in given[:3]:
        await role_assignments.assign_resource(as_("admin"), ASKED, role, OfDataSource(id_))
    await asyncio.gather(
        *(datasets.create_dataset(as_("admin"), DatasetCreate(id_, f"new{i}")) for i in range(3)),
        rename(as_, id_, "new"),
        datasets.delete_dataset(as_("admin"), there[0]),
        role_assignments.assign_resource(as_("admin"), ASKED, given[3], OfDataSource(id_)),
        role_assignments.unassign_resource(as_("admin"), ASKED, given[0], OfDataSource(id_)),
        roles.delete_role(as_("admin"), ASKED, given[1]),
    )
    assigned = {(f"role:{role}", "assigned_role") for role in (given[2], given[3])}
    assert await tuples(stores, OLD) == set()
    assert await tuples(stores, NEW) == {("system:axion-gen", "parent"), *assigned}
    kept = await stores.postgres["axion_gen"].fetch("SELECT id FROM datasets", ledger=Ledger())
    assert len(kept) == 5
    for row in kept:
        assert await tuples(stores, f"dataset:{row['id']}") == {(NEW, "parent")}
    assert await tuples(stores, f"dataset:{there[0]}") == set()
