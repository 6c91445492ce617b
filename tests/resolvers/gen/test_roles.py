"""Roles in Postgres and OpenFGA: each change in both, refused changes in neither."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from loaders.errors import AxionError, BadInput, Conflict, Forbidden, NotFound, Unauthenticated
from loaders.ledger import Ledger
from loaders.tables.uuid7 import uuid7
from resolvers.context import Context
from resolvers.gen import data_sources, datasets, role_assignments, roles
from resolvers.gen.data_sources import DataSourceCreate
from resolvers.gen.datasets import DatasetCreate
from resolvers.gen.resources import OfDataset, OfDataSource, OfSystem, OfTable, Resource
from resolvers.gen.role_parents import MAX_LEVELS
from resolvers.gen.roles import RoleCreate, RoleFlags, RoleUpdate
from resolvers.idempotency import MutationRequest
from tests.resolvers.gen.conftest import As, GenStores

ASKED = MutationRequest("aMutation", "aMutation", {})
pytestmark = pytest.mark.usefixtures("seeded")


async def tuples(stores: GenStores, object_: str) -> set[tuple[str, str]]:
    return {(found.user, found.relation) async for found in stores.openfga.read(object_=object_, ledger=Ledger())}


async def rows(stores: GenStores, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in await stores.postgres["axion_gen"].fetch(sql, ledger=Ledger())]


async def test_a_role_is_in_both_stores_through_its_whole_life(as_: As, stores: GenStores) -> None:
    parent = await roles.create_role(as_("admin"), ASKED, RoleCreate("Readers"))
    role = await roles.create_role(as_("admin"), ASKED, RoleCreate("Roads", "Sees roads.", parent))
    object_ = f"role:{role}"
    assert await tuples(stores, object_) == {(f"role:{parent}", "parent")}

    await roles.set_role_flags(as_("admin"), ASKED, RoleFlags(role, {"has_view_dataset": True, "has_view_table": True}))
    await role_assignments.assign_user(as_("admin"), ASKED, role, 1)
    assert await tuples(stores, object_) == {
        (f"role:{parent}", "parent"),
        ("user:*", "has_view_dataset"),
        ("user:*", "has_view_table"),
        ("user:ann", "assignee"),
    }

    await roles.set_role_flags(as_("admin"), ASKED, RoleFlags(role, {"has_view_table": False}))
    await roles.update_role(as_("admin"), ASKED, RoleUpdate(role, {"name": "Streets", "parent_role_id": None}))
    assert await tuples(stores, object_) == {("user:*", "has_view_dataset"), ("user:ann", "assignee")}
    assert await rows(
        stores, f"SELECT name, description, parent_role_id, has_view_dataset, has_view_table FROM roles WHERE id={role}"
    ) == [("Streets", "Sees roads.", None, True, False)]

    await role_assignments.assign_resource(as_("admin"), ASKED, role, OfSystem())
    await roles.delete_role(as_("admin"), ASKED, role)
    assert await tuples(stores, object_) == set()
    assert await tuples(stores, "system:axion-gen") == {("user:admin", "admin")}
    assert await rows(stores, "SELECT 1 FROM openfga_outbox WHERE delivered_at IS NULL") == []
    assert await rows(stores, f"SELECT 1 FROM user_roles WHERE role_id = {role}") == []


async def test_each_kind_of_resource_is_assigned_once_and_taken_away(as_: As, stores: GenStores) -> None:
    source = await data_sources.create_data_source(
        as_("admin"), DataSourceCreate("f", "clickhouse", {"url": "http://h"})
    )
    dataset = await datasets.create_dataset(as_("admin"), DatasetCreate(source.id, "d"))
    role = await roles.create_role(as_("admin"), ASKED, RoleCreate("Roads"))
    resources: dict[str, Resource] = {
        "system:axion-gen": OfSystem(),
        "datasource:f": OfDataSource(source.id),
        f"dataset:{dataset.id}": OfDataset(dataset.id),
        f"table:{dataset.id}/a": OfTable(dataset.id, "a"),
    }
    assigned = (f"role:{role}", "assigned_role")
    for object_, resource in resources.items():
        for _ in range(2):
            assert await role_assignments.assign_resource(as_("admin"), ASKED, role, resource) == (role, object_)
        assert assigned in await tuples(stores, object_)
    assert len(await rows(stores, "SELECT 1 FROM role_assignments")) == 4
    assert (f"dataset:{dataset.id}", "parent") in await tuples(stores, f"table:{dataset.id}/a")
    for object_, resource in resources.items():
        for _ in range(2):
            assert await role_assignments.unassign_resource(as_("admin"), ASKED, role, resource) == (role, object_)
        assert assigned not in await tuples(stores, object_)
    assert await rows(stores, "SELECT 1 FROM role_assignments") == []


async def test_a_grant_counts_at_once_and_its_end_too(as_: As, stores: GenStores) -> None:
    source = await data_sources.create_data_source(
        as_("admin"), DataSourceCreate("f", "clickhouse", {"url": "http://h"})
    )
    dataset = await datasets.create_dataset(as_("admin"), DatasetCreate(source.id, "d"))
    role = await roles.create_role(as_("admin"), ASKED, RoleCreate("Roads"))
    object_ = f"dataset:{dataset.id}"
    await roles.set_role_flags(as_("admin"), ASKED, RoleFlags(role, {"has_view_dataset": True}))
    await role_assignments.assign_resource(as_("admin"), ASKED, role, OfDataset(dataset.id))
    assert not await as_("ann").verdicts.check("can_view", object_)
    await role_assignments.assign_user(as_("admin"), ASKED, role, 1)
    assert await as_("ann").verdicts.check("can_view", object_)
    assert not await as_("bob").verdicts.check("can_view", object_)
    await role_assignments.unassign_user(as_("admin"), ASKED, role, 1)
    assert not await as_("ann").verdicts.check("can_view", object_)


Attempt = Callable[[Context, int], Awaitable[object]]
ATTEMPTS: dict[str, Attempt] = {
    "create": lambda context, _: roles.create_role(context, ASKED, RoleCreate("New")),
    "update": lambda context, role: roles.update_role(context, ASKED, RoleUpdate(role, {"name": "Other"})),
    "delete": lambda context, role: roles.delete_role(context, ASKED, role),
    "flags": lambda context, role: roles.set_role_flags(context, ASKED, RoleFlags(role, {"has_view_table": True})),
    "assign user": lambda context, role: role_assignments.assign_user(context, ASKED, role, 1),
    "unassign user": lambda context, role: role_assignments.unassign_user(context, ASKED, role, 1),
    "assign resource": lambda context, role: role_assignments.assign_resource(context, ASKED, role, OfSystem()),
    "unassign resource": lambda context, role: role_assignments.unassign_resource(context, ASKED, role, OfSystem()),
}
ALL = "SELECT roles::text FROM roles UNION ALL SELECT openfga_outbox::text FROM openfga_outbox ORDER BY 1"


@pytest.mark.parametrize("attempt", ATTEMPTS)
@pytest.mark.parametrize(("who", "error"), [("", Unauthenticated), ("ann", Forbidden)])
async def test_roles_are_the_admins(
    attempt: str, who: str, error: type[AxionError], as_: As, stores: GenStores
) -> None:
    role = await roles.create_role(as_("admin"), ASKED, RoleCreate("Roads"))
    before = await rows(stores, ALL)
    with pytest.raises(error):
        await ATTEMPTS[attempt](as_(who), role)
    assert await rows(stores, ALL) == before
    assert await tuples(stores, f"role:{role}") == set()


@pytest.mark.parametrize("attempt", [each for each in ATTEMPTS if each != "create"])
async def test_a_role_that_is_not_there(attempt: str, as_: As, stores: GenStores) -> None:
    before = await rows(stores, ALL)
    with pytest.raises(NotFound):
        await ATTEMPTS[attempt](as_("admin"), 12345)
    assert await rows(stores, ALL) == before


async def test_a_role_that_is_not_there_inherits_from_none(as_: As) -> None:
    with pytest.raises(NotFound):
        await roles.update_role(as_("admin"), ASKED, RoleUpdate(12345, {"parent_role_id": 2}))


@pytest.mark.parametrize("attempt", ["update", "delete", "flags"])
@pytest.mark.parametrize("role", [1, 2])
async def test_built_in_roles_stay_as_they_are(attempt: str, role: int, as_: As, stores: GenStores) -> None:
    before = await rows(stores, ALL)
    with pytest.raises(Conflict, match="built in"):
        await ATTEMPTS[attempt](as_("admin"), role)
    assert await rows(stores, ALL) == before
    assert await tuples(stores, f"role:{role}") == set()


async def test_the_last_admin_stays(as_: As, stores: GenStores) -> None:
    await role_assignments.assign_user(as_("admin"), ASKED, 1, 1)
    await role_assignments.assign_user(as_("admin"), ASKED, 1, 2)
    await role_assignments.unassign_user(as_("admin"), ASKED, 1, 1)
    with pytest.raises(Conflict, match="last active user"):
        await role_assignments.unassign_user(as_("admin"), ASKED, 1, 2)
    assert await tuples(stores, "role:1") == {("user:bob", "assignee")}
    assert await rows(stores, "SELECT user_id FROM user_roles") == [(2,)]


async def test_names_are_taken_once_and_are_names(as_: As) -> None:
    role = await roles.create_role(as_("admin"), ASKED, RoleCreate("Roads"))
    for taken in (
        roles.create_role(as_("admin"), ASKED, RoleCreate("Roads")),
        roles.create_role(as_("admin"), ASKED, RoleCreate("Admin")),
    ):
        with pytest.raises(Conflict) as caught:
            await taken
        assert caught.value.field == "name"
    for wrong in ("", " x", "a\nb", "x" * 201):
        with pytest.raises(BadInput, match="`name`"):
            await roles.update_role(as_("admin"), ASKED, RoleUpdate(role, {"name": wrong}))


async def test_no_role_inherits_from_itself(as_: As, stores: GenStores) -> None:
    one = await roles.create_role(as_("admin"), ASKED, RoleCreate("one"))
    two = await roles.create_role(as_("admin"), ASKED, RoleCreate("two", parent_id=one))
    three = await roles.create_role(as_("admin"), ASKED, RoleCreate("three", parent_id=two))
    for parent in (one, two, three):
        with pytest.raises(Conflict) as caught:
            await roles.update_role(as_("admin"), ASKED, RoleUpdate(one, {"parent_role_id": parent}))
        assert caught.value.field == "parentRoleId"
    assert await tuples(stores, f"role:{one}") == set()
    with pytest.raises(BadInput, match="no such parent"):
        await roles.create_role(as_("admin"), ASKED, RoleCreate("four", parent_id=12345))
    with pytest.raises(Conflict, match="inherit from this one"):
        await roles.delete_role(as_("admin"), ASKED, one)


async def test_two_updates_at_once_make_no_cycle(as_: As, stores: GenStores) -> None:
    """Neither sees the other's row before it commits: without a lock both would pass."""
    for attempt in range(10):
        one = await roles.create_role(as_("admin"), ASKED, RoleCreate(f"one {attempt}"))
        two = await roles.create_role(as_("admin"), ASKED, RoleCreate(f"two {attempt}"))
        ends = await asyncio.gather(
            roles.update_role(as_("admin"), ASKED, RoleUpdate(one, {"parent_role_id": two})),
            roles.update_role(as_("admin"), ASKED, RoleUpdate(two, {"parent_role_id": one})),
            return_exceptions=True,
        )
        assert sorted(type(end).__name__ for end in ends) == ["Conflict", "int"]
        parents = await rows(stores, f"SELECT parent_role_id FROM roles WHERE id IN ({one}, {two}) ORDER BY 1")
        assert [parent is None for (parent,) in parents] == [False, True]
        stored = len(await tuples(stores, f"role:{one}")) + len(await tuples(stores, f"role:{two}"))
        assert stored == 1


async def test_the_longest_line_of_roles_still_grants(as_: As, stores: GenStores) -> None:
    """OpenFGA follows the flag of the topmost role down the whole line; one level more is refused."""
    top = last = await roles.create_role(as_("admin"), ASKED, RoleCreate("role 1"))
    for level in range(2, MAX_LEVELS + 1):
        last = await roles.create_role(as_("admin"), ASKED, RoleCreate(f"role {level}", parent_id=last))
    with pytest.raises(BadInput, match="levels"):
        await roles.create_role(as_("admin"), ASKED, RoleCreate("one too many", parent_id=last))
    other = await roles.create_role(as_("admin"), ASKED, RoleCreate("other"))
    with pytest.raises(BadInput, match="levels"):
        await roles.update_role(as_("admin"), ASKED, RoleUpdate(top, {"parent_role_id": other}))
    source = await data_sources.create_data_source(
        as_("admin"), DataSourceCreate("f", "clickhouse", {"url": "http://h"})
    )
    dataset = await datasets.create_dataset(as_("admin"), DatasetCreate(source.id, "d"))
    await roles.set_role_flags(as_("admin"), ASKED, RoleFlags(top, {"has_view_table": True}))
    await role_assignments.assign_user(as_("admin"), ASKED, last, 1)
    await role_assignments.assign_resource(as_("admin"), ASKED, last, OfSystem())
    assert await as_("ann").verdicts.check("can_view", f"table:{dataset.id}/a", parent=f"dataset:{dataset.id}")


@pytest.mark.parametrize("resource", [OfDataSource(uuid7()), OfDataset(uuid7()), OfTable(uuid7(), "a")])
async def test_a_resource_that_is_not_there(resource: Resource, as_: As, stores: GenStores) -> None:
    role = await roles.create_role(as_("admin"), ASKED, RoleCreate("Roads"))
    with pytest.raises(NotFound):
        await role_assignments.assign_resource(as_("admin"), ASKED, role, resource)
    assert await rows(stores, "SELECT 1 FROM role_assignments") == []


async def test_a_user_that_is_not_there(as_: As) -> None:
    role = await roles.create_role(as_("admin"), ASKED, RoleCreate("Roads"))
    with pytest.raises(NotFound):
        await role_assignments.assign_user(as_("admin"), ASKED, role, 12345)
