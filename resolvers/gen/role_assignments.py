"""Who is in a role, and where it holds: assigned and taken away by system admins (docs/adr/0006)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from loaders.errors import Conflict, NotFound
from loaders.openfga import names
from loaders.openfga.roles import assigned_role, assignee
from loaders.openfga.tuples import RelationTuple
from loaders.postgres.write import Transaction
from loaders.tables.axion_gen.identity import ADMIN_ROLE_ID, User, UserRole
from loaders.tables.axion_gen.role_assignments import RoleAssignment
from loaders.tables.uuid7 import uuid7
from resolvers.context import Context
from resolvers.gen.granting import Granting, grant_role
from resolvers.gen.resources import OfTable, Resource, columns, object_of
from resolvers.gen.roles import locked_role
from resolvers.idempotency import Asked

_users = cast(sa.Table, User.__table__)
_held = cast(sa.Table, UserRole.__table__)
_assignments = cast(sa.Table, RoleAssignment.__table__)


async def assign_user(context: Context, asked: Asked, role_id: int, user_id: int) -> int:
    """Nothing new for who has the role already. `NotFound` for a role or user that is not there."""

    async def work(change: Granting) -> int:
        await locked_role(change.within, role_id)
        subject = await _subject(change.within, user_id)
        held = insert(_held).values(user_id=user_id, role_id=role_id)
        await change.within.rows(held.on_conflict_do_nothing())
        await change.note(writes=[assignee(role_id, subject)])
        return role_id

    return await grant_role(context, asked, work)


async def unassign_user(context: Context, asked: Asked, role_id: int, user_id: int) -> int:
    """Nothing new for who has not the role. `NotFound`; `Conflict` for the last active user with the role Admin."""

    async def work(change: Granting) -> int:
        await locked_role(change.within, role_id)
        subject = await _subject(change.within, user_id)
        mine = sa.and_(_held.c.role_id == role_id, _held.c.user_id == user_id)
        await change.within.rows(sa.delete(_held).where(mine))
        if role_id == ADMIN_ROLE_ID and not await _is_held(change.within, role_id):
            raise Conflict("This is the last active user with the role Admin. Give it to another one first.")
        await change.note(deletes=[assignee(role_id, subject)])
        return role_id

    return await grant_role(context, asked, work)


async def assign_resource(context: Context, asked: Asked, role_id: int, resource: Resource) -> tuple[int, str]:
    """The role, and the resource's name in OpenFGA. Nothing new where it is assigned. `NotFound`, `BadInput`."""

    async def work(within: Transaction, object_: str) -> _Tuples:
        values = {"id": uuid7(), "role_id": role_id, **columns(resource)}
        await within.rows(insert(_assignments).values(values).on_conflict_do_nothing())
        parents = []
        if isinstance(resource, OfTable):  # it may not have been listed yet
            parents.append(RelationTuple(names.dataset(resource.dataset_id), "parent", object_))
        return _Tuples(writes=(assigned_role(role_id, object_), *parents))

    return await _at(context, asked, role_id, resource, work)


async def unassign_resource(context: Context, asked: Asked, role_id: int, resource: Resource) -> tuple[int, str]:
    """The role, and the resource's name in OpenFGA. Nothing new where it is not assigned. `NotFound`, `BadInput`."""

    async def work(within: Transaction, object_: str) -> _Tuples:
        mine = [_assignments.c[name].is_not_distinct_from(value) for name, value in columns(resource).items()]
        await within.rows(sa.delete(_assignments).where(_assignments.c.role_id == role_id, *mine))
        return _Tuples(deletes=(assigned_role(role_id, object_),))

    return await _at(context, asked, role_id, resource, work)


@dataclass(frozen=True, slots=True)
class _Tuples:
    writes: tuple[RelationTuple, ...] = ()
    deletes: tuple[RelationTuple, ...] = ()


async def _at(
    context: Context,
    asked: Asked,
    role_id: int,
    resource: Resource,
    work: Callable[[Transaction, str], Awaitable[_Tuples]],
) -> tuple[int, str]:
    await context.verdicts.require_admin()  # before anything is told of the resource
    object_ = await object_of(context, resource)

    async def of_role(change: Granting) -> int:
        await locked_role(change.within, role_id)
        tuples = await work(change.within, object_)
        await change.note(writes=tuples.writes, deletes=tuples.deletes)
        return role_id

    return await grant_role(context, asked, of_role), object_


async def _subject(within: Transaction, user_id: int) -> str:
    """The user's `sub`, which stays until the transaction ends."""
    chosen = sa.select(_users.c.external_auth_id).where(_users.c.id == user_id)
    rows = await within.rows(chosen.with_for_update(read=True, key_share=True))
    if not rows:
        raise NotFound("There is no such user.")
    return str(rows[0].external_auth_id)


async def _is_held(within: Transaction, role_id: int) -> bool:
    active = sa.select(_held.c.user_id).join(_users, _users.c.id == _held.c.user_id)
    return bool(await within.rows(active.where(_held.c.role_id == role_id, _users.c.is_active).limit(1)))
