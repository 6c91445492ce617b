"""Assigns users and resources to roles and removes them, for system administrators (docs/adr/0006)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from loaders.errors import Conflict, NotFound
from loaders.gen import role_assignments
from loaders.gen.roles import LockedUser, is_held, lock_user
from loaders.gen.stored import USER_ROLES
from loaders.openfga import names
from loaders.openfga.roles import assigned_role, assignee
from loaders.openfga.tuples import RelationTuple, is_subject
from loaders.postgres.row_writes import delete_where, insert_unless_there
from loaders.postgres.write import Transaction
from loaders.tables.axion_gen.identity import ADMIN_ROLE_ID
from resolvers.context import Context
from resolvers.gen.granting import Granting, grant_role
from resolvers.gen.resources import OfDataSource, OfTable, Resource, assigned, kept_object, object_of
from resolvers.gen.roles import locked_role
from resolvers.idempotency import MutationRequest


async def assign_user(context: Context, asked: MutationRequest, role_id: int, user_id: int) -> int:
    """Does nothing when the user already has the role. A user who is not active has its permissions once active.
    `NotFound` for a role or user that does not exist; `Conflict` for a user whom OpenFGA cannot name.
    """

    async def work(change: Granting) -> int:
        await locked_role(change.within, role_id)
        user = await locked_user(change.within, user_id)
        if not is_subject(names.user(user.subject)):
            raise Conflict("The user's `externalAuthId` is longer than OpenFGA takes, so nothing can be granted.")
        await insert_unless_there(change.within, USER_ROLES, {"user_id": user_id, "role_id": role_id})
        if user.is_active:
            await change.note(writes=[assignee(role_id, user.subject)])
        return role_id

    return await grant_role(context, asked, work)


async def unassign_user(context: Context, asked: MutationRequest, role_id: int, user_id: int) -> int:
    """Does nothing when the user lacks the role. `NotFound`; `Conflict` for the last active user with the
    role Admin.
    """

    async def work(change: Granting) -> int:
        await locked_role(change.within, role_id)
        user = await locked_user(change.within, user_id)
        await delete_where(change.within, USER_ROLES, {"user_id": user_id, "role_id": role_id})
        if role_id == ADMIN_ROLE_ID and not await is_held(change.within, role_id):
            raise Conflict("This is the last active user with the role Admin. Give it to another one first.")
        await change.note(deletes=[assignee(role_id, user.subject)])
        return role_id

    return await grant_role(context, asked, work)


async def assign_resource(
    context: Context, asked: MutationRequest, role_id: int, resource: Resource
) -> tuple[int, str]:
    """Returns the role and the resource's name in OpenFGA. Does nothing when already assigned. `NotFound`,
    `BadInput`.
    """

    async def work(within: Transaction, object_: str) -> _Tuples:
        await role_assignments.assign(within, role_id, assigned(resource))
        parents = []
        if isinstance(resource, OfTable):  # its parent tuple is missing until it was listed
            parents.append(RelationTuple(names.dataset(resource.dataset_id), "parent", object_))
        return _Tuples(writes=(assigned_role(role_id, object_), *parents))

    return await _at(context, asked, role_id, resource, work)


async def unassign_resource(
    context: Context, asked: MutationRequest, role_id: int, resource: Resource
) -> tuple[int, str]:
    """Returns the role and the resource's name in OpenFGA. Does nothing when not assigned. `NotFound`, `BadInput`."""

    async def work(within: Transaction, object_: str) -> _Tuples:
        await role_assignments.unassign(within, role_id, assigned(resource))
        return _Tuples(deletes=(assigned_role(role_id, object_),))

    return await _at(context, asked, role_id, resource, work)


@dataclass(frozen=True, slots=True)
class _Tuples:
    writes: tuple[RelationTuple, ...] = ()
    deletes: tuple[RelationTuple, ...] = ()


async def _at(
    context: Context,
    asked: MutationRequest,
    role_id: int,
    resource: Resource,
    work: Callable[[Transaction, str], Awaitable[_Tuples]],
) -> tuple[int, str]:
    await context.verdicts.require_admin()  # before an error can reveal whether the resource exists
    object_ = await object_of(context, resource)

    async def of_role(change: Granting) -> int:
        nonlocal object_
        await locked_role(change.within, role_id)
        if isinstance(resource, OfDataSource):
            object_ = await kept_object(change.within, resource)
        tuples = await work(change.within, object_)
        await change.note(writes=tuples.writes, deletes=tuples.deletes)
        return role_id

    role = await grant_role(context, asked, of_role)
    return role, object_


async def locked_user(within: Transaction, user_id: int, *, for_update: bool = False) -> LockedUser:
    """The user, locked until the transaction ends. `NotFound`."""
    user = await lock_user(within, user_id, for_update=for_update)
    if user is None:
        raise NotFound("There is no such user.")
    return user
