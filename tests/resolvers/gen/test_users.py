"""Gen's users: created for somebody who owns nothing yet, and without their roles' permissions while not active."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import pytest
import sqlalchemy as sa

from loaders.errors import AxionError, BadInput, Conflict, Forbidden, NotFound, Unauthenticated
from loaders.tables.axion_gen.identity import User
from resolvers.context import Context
from resolvers.expected import ChangedSince
from resolvers.gen import data_sources, role_assignments, roles, users
from resolvers.gen.data_sources import DataSourceCreate
from resolvers.gen.resources import OfSystem
from resolvers.gen.roles import RoleCreate, RoleFlags
from resolvers.gen.users import UserCreate, UserUpdate
from tests.resolvers.gen.conftest import As, GenStores
from tests.resolvers.gen.test_roles import ASKED, rows, tuples

pytestmark = pytest.mark.usefixtures("seeded")
ADMIN = 1
INACTIVE, ACTIVE = {"is_active": False}, {"is_active": True}


def change(as_: As, user: int, **patch: object) -> Awaitable[users.Changed]:
    return users.update_user(as_("admin"), ASKED, UserUpdate(user, patch))


async def readers(as_: As) -> int:
    """A role that sees the data source `f`."""
    await data_sources.create_data_source(as_("admin"), DataSourceCreate("f", "clickhouse", {"url": "http://h"}))
    role = await roles.create_role(as_("admin"), ASKED, RoleCreate("Readers"))
    await roles.set_role_flags(as_("admin"), ASKED, RoleFlags(role, {"has_view_dataset": True}))
    await role_assignments.assign_resource(as_("admin"), ASKED, role, OfSystem())
    return role


async def sees(as_: As, who: str) -> bool:
    return await as_(who).verdicts.check("can_view", "datasource:f")


async def test_somebody_who_owns_nothing_yet_gets_a_role(as_: As, stores: GenStores) -> None:
    role = await readers(as_)
    user = await users.create_user(as_("admin"), ASKED, UserCreate("oidc|Zoë 1", "zoe@x.org", "Zoë"))
    assert await rows(
        stores, f"SELECT external_auth_id, email, display_name, is_active FROM users WHERE id={user}"
    ) == [("oidc|Zoë 1", "zoe@x.org", "Zoë", True)]
    assert not await sees(as_, "oidc|Zoë 1")
    await role_assignments.assign_user(as_("admin"), ASKED, role, user)
    assert await sees(as_, "oidc|Zoë 1")
    with pytest.raises(Conflict) as taken:
        await users.create_user(as_("admin"), ASKED, UserCreate("oidc|Zoë 1"))
    assert taken.value.field == "externalAuthId"


async def test_who_is_not_active_keeps_roles_without_permissions(as_: As, stores: GenStores) -> None:
    role, other = await readers(as_), await roles.create_role(as_("admin"), ASKED, RoleCreate("Others"))
    await role_assignments.assign_user(as_("admin"), ASKED, role, 1)
    assert await sees(as_, "ann")
    changed = await change(as_, 1, is_active=False, display_name="Ann")
    assert changed == users.Changed(1, (f"role:{role}",))
    assert not await sees(as_, "ann")
    await role_assignments.assign_user(as_("admin"), ASKED, other, 1)
    assert await rows(stores, "SELECT role_id FROM user_roles ORDER BY 1") == [(role,), (other,)]
    assert await tuples(stores, f"role:{other}") == set()
    await role_assignments.unassign_user(as_("admin"), ASKED, other, 1)

    assert (await change(as_, 1, is_active=True)).objects == (f"role:{role}",)
    assert await sees(as_, "ann")
    assert await tuples(stores, f"role:{other}") == set()
    assert await rows(stores, "SELECT display_name, is_active FROM users WHERE id = 1") == [("Ann", True)]
    before = await rows(stores, "SELECT count(*) FROM openfga_outbox")
    await change(as_, 1, is_active=True)
    assert await rows(stores, "SELECT count(*) FROM openfga_outbox") == before, "it was so already"


async def test_the_last_active_admin_stays(as_: As, stores: GenStores) -> None:
    for user in (1, 2):
        await role_assignments.assign_user(as_("admin"), ASKED, ADMIN, user)
    ends = await asyncio.gather(*(change(as_, user, **INACTIVE) for user in (1, 2)), return_exceptions=True)
    assert sorted(type(end).__name__ for end in ends) == ["Changed", "Conflict"]
    assert await rows(stores, "SELECT count(*) FROM users WHERE is_active") == [(1,)]
    (active,) = await rows(stores, "SELECT external_auth_id, id FROM users WHERE is_active")
    assert await tuples(stores, f"role:{ADMIN}") == {(f"user:{active[0]}", "assignee")}
    with pytest.raises(Conflict, match="last active user"):
        await role_assignments.unassign_user(as_("admin"), ASKED, ADMIN, int(str(active[1])))


async def test_a_role_given_while_its_user_is_deactivated_grants_nothing(as_: As, stores: GenStores) -> None:
    """Whichever is first: the other has seen it, or gives up."""
    role = await roles.create_role(as_("admin"), ASKED, RoleCreate("Readers"))
    for _ in range(10):
        await role_assignments.unassign_user(as_("admin"), ASKED, role, 1)
        await change(as_, 1, **ACTIVE)
        given, left = await asyncio.gather(
            role_assignments.assign_user(as_("admin"), ASKED, role, 1),
            change(as_, 1, **INACTIVE),
            return_exceptions=True,
        )
        assert given == role
        if isinstance(left, Conflict):
            await change(as_, 1, **INACTIVE)
        else:
            assert isinstance(left, users.Changed)
        assert await tuples(stores, f"role:{role}") == set()


async def test_texts_are_changed_and_removed(as_: As, stores: GenStores) -> None:
    await change(as_, 1, email="ann@x.org", display_name="Ann")
    assert (await change(as_, 1, email=None)).objects == ()
    assert await rows(stores, "SELECT email, display_name, is_active FROM users WHERE id = 1") == [(None, "Ann", True)]
    stale = UserUpdate(1, {"email": "a@x.org"}, await _updated_at(stores))
    await change(as_, 1, display_name="Ann B.")
    with pytest.raises(ChangedSince):
        await users.update_user(as_("admin"), ASKED, stale)


async def _updated_at(stores: GenStores) -> datetime:
    ((updated_at,),) = await rows(stores, "SELECT updated_at FROM users WHERE id = 1")
    assert isinstance(updated_at, datetime)
    return updated_at


ATTEMPTS: dict[str, Callable[[Context], Awaitable[object]]] = {
    "create": lambda context: users.create_user(context, ASKED, UserCreate("eve")),
    "update": lambda context: users.update_user(context, ASKED, UserUpdate(1, {"is_active": False})),
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
@pytest.mark.parametrize(("who", "error"), [("", Unauthenticated), ("ann", Forbidden)])
async def test_users_are_the_admins(
    attempt: str, who: str, error: type[AxionError], as_: As, stores: GenStores
) -> None:
    before = await rows(stores, "SELECT users::text FROM users ORDER BY 1")
    with pytest.raises(error):
        await ATTEMPTS[attempt](as_(who))
    assert await rows(stores, "SELECT users::text FROM users ORDER BY 1") == before


@pytest.mark.parametrize("subject", ["", " x", "a\nb", "x" * 256, "%" * 170, "\U0001f600" * 127])
async def test_a_subject_that_cannot_be(subject: str, as_: As) -> None:
    with pytest.raises(BadInput) as wrong:
        await users.create_user(as_("admin"), ASKED, UserCreate(subject))
    assert wrong.value.field == "externalAuthId"


async def test_a_subject_that_openfga_cannot_name_holds_up_nobody(as_: As, stores: GenStores) -> None:
    """OpenFGA takes 512 bytes, and the notes of a role wait for each other."""
    role = await readers(as_)
    longest = await users.create_user(as_("admin"), ASKED, UserCreate("%" * 169))
    await role_assignments.assign_user(as_("admin"), ASKED, role, longest)
    assert await sees(as_, "%" * 169)
    async with stores.postgres["axion_gen"].transaction() as session:
        await session.execute(sa.insert(User).values(id=50, external_auth_id="%" * 170))
    with pytest.raises(Conflict, match="longer than OpenFGA takes"):
        await role_assignments.assign_user(as_("admin"), ASKED, role, 50)
    await role_assignments.unassign_user(as_("admin"), ASKED, role, longest)
    assert not await sees(as_, "%" * 169)


async def test_changes_that_cannot_be(as_: As) -> None:
    with pytest.raises(NotFound):
        await change(as_, 12345, is_active=False)
    with pytest.raises(BadInput, match="Nothing"):
        await change(as_, 1)
    with pytest.raises(BadInput) as wrong:
        await change(as_, 1, display_name=" x")
    assert wrong.value.field == "displayName"
