"""Gen's roles: created, changed and deleted by system administrators, each with its permission tuples
(docs/adr/0006).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loaders.errors import BadInput, Conflict, NotFound
from loaders.gen import roles as stored_roles
from loaders.gen.role_assignments import assigned_objects
from loaders.gen.roles import LockedRole
from loaders.gen.stored import ROLES
from loaders.openfga import names
from loaders.openfga.roles import FLAGS, assigned_role, assignee, flag, role_parent
from loaders.postgres import row_writes
from loaders.postgres.write import Transaction
from resolvers.context import Context
from resolvers.expected import require_unchanged
from resolvers.gen.granting import Granting, grant_role
from resolvers.gen.role_parents import require_place
from resolvers.idempotency import MutationRequest
from resolvers.names import checked_name


@dataclass(frozen=True, slots=True)
class RoleCreate:
    name: str
    description: str | None = None
    parent_id: int | None = None


@dataclass(frozen=True, slots=True)
class RoleUpdate:
    """`patch` has the columns to change among `name`, `description` and `parent_role_id`; None means null.

    `expected_updated_at` is the value that the caller has read.
    """

    id: int
    patch: Mapping[str, Any]
    expected_updated_at: datetime | None = None


async def create_role(context: Context, asked: MutationRequest, input_: RoleCreate) -> int:
    """Creates a role without flags, users and resources, and returns its id. `Conflict` when the name is taken."""
    values = {"name": checked_name(input_.name), "description": input_.description, "parent_role_id": input_.parent_id}

    async def work(change: Granting) -> int:
        if input_.parent_id is not None:
            await require_place(change.within, input_.parent_id)
        (role_id,) = await row_writes.insert(change.within, ROLES, values)
        assert isinstance(role_id, int)
        if input_.parent_id is not None:
            await change.note(writes=[role_parent(role_id, parent_id=input_.parent_id)])
        return role_id

    return await grant_role(context, asked, work)


async def update_role(context: Context, asked: MutationRequest, input_: RoleUpdate) -> int:
    """`NotFound`; `Conflict` for a built-in role, a name that is taken, a parent that inherits from the role, and when
    the role was changed since it was read.
    """
    patch = dict(input_.patch)
    if not patch:
        raise BadInput("Nothing is to be changed. Give at least one field.")
    if "name" in patch:
        patch["name"] = checked_name(patch["name"])

    async def work(change: Granting) -> int:
        parent_id = patch.get("parent_role_id")
        if parent_id is not None:
            await require_place(change.within, parent_id, of=input_.id)
        role = await locked_role(change.within, input_.id)
        _require_custom(role)
        require_unchanged(role.updated_at, input_.expected_updated_at)
        await row_writes.update(change.within, ROLES, (input_.id,), patch)
        if "parent_role_id" in patch and parent_id != role.parent_role_id:
            old, new = (
                [] if each is None else [role_parent(input_.id, parent_id=each)]
                for each in (role.parent_role_id, parent_id)
            )
            await change.note(writes=new, deletes=old)
        return input_.id

    return await grant_role(context, asked, work)


@dataclass(frozen=True, slots=True)
class RoleFlags:
    """`flags` has those to change, of `loaders.openfga.roles.FLAGS`; the others stay. Otherwise as `RoleUpdate`."""

    id: int
    flags: Mapping[str, bool]
    expected_updated_at: datetime | None = None


async def set_role_flags(context: Context, asked: MutationRequest, input_: RoleFlags) -> int:
    """`NotFound`; `Conflict` for a built-in role, and for one that was changed since it was read."""
    role_id, flags = input_.id, input_.flags
    if not flags:
        raise BadInput("No flag is given. Give at least one.")

    async def work(change: Granting) -> int:
        role = await locked_role(change.within, role_id)
        _require_custom(role)
        require_unchanged(role.updated_at, input_.expected_updated_at)
        await row_writes.update(change.within, ROLES, (role_id,), flags)
        await change.note(
            writes=[flag(role_id, name) for name, is_set in flags.items() if is_set],
            deletes=[flag(role_id, name) for name, is_set in flags.items() if not is_set],
        )
        return role_id

    return await grant_role(context, asked, work)


async def delete_role(context: Context, asked: MutationRequest, role_id: int) -> int:
    """Removes the role from all users and resources. `NotFound`; `Conflict` for a built-in role, or when others
    inherit.
    """

    async def work(change: Granting) -> int:
        role = await locked_role(change.within, role_id, for_delete=True)
        _require_custom(role)
        if await stored_roles.is_inherited(change.within, role_id):
            raise Conflict("Other roles inherit from this one. Give them another parent first.")
        gone = [
            *(assignee(role_id, person) for person in await stored_roles.holders(change.within, role_id)),
            *(flag(role_id, name) for name in FLAGS),
            *(assigned_role(role_id, object_) for object_ in await assigned_objects(change.within, role_id)),
        ]
        if role.parent_role_id is not None:
            gone.append(role_parent(role_id, parent_id=role.parent_role_id))
        await row_writes.delete(change.within, ROLES, (role_id,))
        await change.note(deletes=gone)
        return role_id

    return await grant_role(context, asked, work)


async def locked_role(within: Transaction, role_id: int, *, for_delete: bool = False) -> LockedRole:
    """The role, locked against changes until the transaction ends. `NotFound`."""
    role = await stored_roles.lock_role(within, role_id, for_delete=for_delete)
    if role is None:
        raise NotFound("There is no such role.")
    return role


def role_object(role_id: int) -> str:
    """The object that outbox entries of a role's permissions refer to."""
    return names.role(role_id)


def _require_custom(role: LockedRole) -> None:
    if role.is_built_in:
        raise Conflict("This role is built in: it cannot be changed or deleted. Make a role that inherits from it.")
