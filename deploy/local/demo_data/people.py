"""The demo's users and their permissions: an admin, an analyst who sees one dataset, and a stranger who
sees nothing.
"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from gateway.auth.demo_issuer import DEMO_USERS
from loaders.ledger import Ledger
from loaders.openfga import names, outbox
from loaders.openfga.roles import assignee
from loaders.openfga.tuples import RelationTuple
from loaders.stores import Stores
from loaders.tables.axion_gen import identity
from loaders.tables.axion_sense import public
from resolvers.subject import Subject

ROLES = {"admin": identity.ADMIN_ROLE_ID, "analyst": identity.ANALYST_ROLE_ID}
"""The migrations seed what these roles may do. The analyst sees the dataset assigned to the role (`flights`)."""
ORGANIZATIONS = {"south": "Southern Air Survey", "north": "Northern Air Survey"}


@dataclass(frozen=True, slots=True)
class People:
    """Raw keys of users by demo name and of organizations by code."""

    users: dict[str, int]
    organizations: dict[str, int]

    @property
    def admin(self) -> Subject:
        return Subject(id=DEMO_USERS["admin"].subject, user_id=self.users["admin"])

    def __str__(self) -> str:
        return f"{len(self.users)} users, {len(self.organizations)} organizations"


async def load_people(stores: Stores) -> People:
    users = await _sense(stores)
    organizations = await _organizations(stores, users)
    await _gen(stores)
    analyst = names.user(DEMO_USERS["analyst"].subject)
    member = RelationTuple(analyst, "member", names.organization(organizations["south"]))
    await stores.openfga.write([member], ledger=Ledger())
    return People(users, organizations)


def _person(name: str) -> dict[str, object]:
    return {
        "external_auth_id": DEMO_USERS[name].subject,
        "email": DEMO_USERS[name].email,
        "display_name": DEMO_USERS[name].name,
    }


async def _sense(stores: Stores) -> dict[str, int]:
    async with stores.postgres["axion_sense"].transaction() as session:
        await session.execute(insert(public.User).on_conflict_do_nothing(), [_person(name) for name in DEMO_USERS])
        rows = await session.execute(select(public.User.external_auth_id, public.User.id))
        known = {row.external_auth_id: row.id for row in rows}
    return {name: known[DEMO_USERS[name].subject] for name in DEMO_USERS}


async def _organizations(stores: Stores, users: dict[str, int]) -> dict[str, int]:
    async with stores.postgres["axion_sense"].transaction() as session:
        values = [{"code": code, "name": name} for code, name in ORGANIZATIONS.items()]
        await session.execute(insert(public.Organization).on_conflict_do_nothing(), values)
        rows = await session.execute(select(public.Organization.code, public.Organization.id))
        organizations = {row.code: row.id for row in rows if row.code in ORGANIZATIONS}
        member = {"user_id": users["analyst"], "organization_id": organizations["south"]}
        await session.execute(insert(public.UserOrg).values(member).on_conflict_do_nothing())
    return organizations


async def _gen(stores: Stores) -> None:
    async with stores.postgres["axion_gen"].transaction() as session:
        await session.execute(insert(identity.User).on_conflict_do_nothing(), [_person(name) for name in DEMO_USERS])
        rows = await session.execute(select(identity.User.external_auth_id, identity.User.id))
        known = {row.external_auth_id: row.id for row in rows}
        roles = [{"user_id": known[DEMO_USERS[name].subject], "role_id": role_id} for name, role_id in ROLES.items()]
        await session.execute(insert(identity.UserRole).on_conflict_do_nothing(), roles)
        held = [assignee(role_id, DEMO_USERS[name].subject) for name, role_id in ROLES.items()]
        objects = await outbox.note(session, writes=held)
    await outbox.settle(stores.postgres["axion_gen"], stores.openfga, objects, ledger=Ledger())
