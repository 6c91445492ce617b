"""Gen's roles: made, changed and deleted by system admins, each with its permission tuples (docs/adr/0006)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa

from loaders.errors import BadInput, Conflict, NotFound
from loaders.openfga import names
from loaders.openfga.roles import FLAGS, assigned_role, assignee, flag, role_parent
from loaders.postgres.write import Transaction
from loaders.tables.axion_gen.identity import Role, User, UserRole
from resolvers.context import Context
from resolvers.gen.granting import Granting, grant_role
from resolvers.gen.resources import assigned_objects
from resolvers.gen.role_parents import require_place
from resolvers.idempotency import Asked
from resolvers.names import checked_name

_roles = cast(sa.Table, Role.__table__)
_users = cast(sa.Table, User.__table__)
_held = cast(sa.Table, UserRole.__table__)


@dataclass(frozen=True, slots=True)
class RoleCreate:
    name: str
    description: str | None = None
    parent_id: int | None = None


@dataclass(frozen=True, slots=True)
class RoleUpdate:
    """`patch` has the columns to change, of `name`, `description` and `parent_role_id`; None is for null."""

    id: int
    patch: Mapping[str, Any]


async def create_role(context: Context, asked: Asked, input_: RoleCreate) -> int:
    """The id of a role without flags, users and resources. `Conflict` when the name is taken."""
    values = {"name": checked_name(input_.name), "description": input_.description, "parent_role_id": input_.parent_id}

    async def work(change: Granting) -> int:
        if input_.parent_id is not None:
            await require_place(change.within, input_.parent_id)
        (row,) = await change.within.rows(sa.insert(_roles).values(values).returning(_roles.c.id))
        role_id: int = row.id
        if input_.parent_id is not None:
            await change.note(writes=[role_parent(role_id, parent_id=input_.parent_id)])
        return role_id

    return await grant_role(context, asked, work)


async def update_role(context: Context, asked: Asked, input_: RoleUpdate) -> int:
    """`NotFound`; `Conflict` for a built-in role, a name that is taken, and a parent that inherits from the role."""
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
        patch["updated_at"] = sa.func.clock_timestamp()
        await change.within.rows(sa.update(_roles).where(_roles.c.id == input_.id).values(patch))
        if "parent_role_id" in patch and parent_id != role.parent_role_id:
            old, new = (
                [] if each is None else [role_parent(input_.id, parent_id=each)]
                for each in (role.parent_role_id, parent_id)
            )
            await change.note(writes=new, deletes=old)
        return input_.id

    return await grant_role(context, asked, work)


async def set_role_flags(context: Context, asked: Asked, role_id: int, flags: Mapping[str, bool]) -> int:
    """Sets the given of `loaders.openfga.roles.FLAGS`; the others stay. `NotFound`, `Conflict` for a built-in role."""
    if not flags:
        raise BadInput("No flag is given. Give at least one.")

    async def work(change: Granting) -> int:
        _require_custom(await locked_role(change.within, role_id))
        values = {**flags, "updated_at": sa.func.clock_timestamp()}
        await change.within.rows(sa.update(_roles).where(_roles.c.id == role_id).values(values))
        await change.note(
            writes=[flag(role_id, name) for name, is_set in flags.items() if is_set],
            deletes=[flag(role_id, name) for name, is_set in flags.items() if not is_set],
        )
        return role_id

    return await grant_role(context, asked, work)


async def delete_role(context: Context, asked: Asked, role_id: int) -> int:
    """Takes it from everyone and everything. `NotFound`; `Conflict` for a built-in role, or when others inherit."""

    async def work(change: Granting) -> int:
        role = await locked_role(change.within, role_id, for_delete=True)
        _require_custom(role)
        if await change.within.rows(sa.select(_roles.c.id).where(_roles.c.parent_role_id == role_id).limit(1)):
            raise Conflict("Other roles inherit from this one. Give them another parent first.")
        holders = sa.select(_users.c.external_auth_id).join(_held, _held.c.user_id == _users.c.id)
        people = await change.within.rows(holders.where(_held.c.role_id == role_id))
        gone = [
            *(assignee(role_id, person.external_auth_id) for person in people),
            *(flag(role_id, name) for name in FLAGS),
            *(assigned_role(role_id, object_) for object_ in await assigned_objects(change.within, role_id)),
        ]
        if role.parent_role_id is not None:
            gone.append(role_parent(role_id, parent_id=role.parent_role_id))
        await change.within.rows(sa.delete(_roles).where(_roles.c.id == role_id))
        await change.note(deletes=gone)
        return role_id

    return await grant_role(context, asked, work)


async def locked_role(within: Transaction, role_id: int, *, for_delete: bool = False) -> sa.Row[Any]:
    """The role, which nobody else changes or deletes until the transaction ends. `NotFound`."""
    chosen = sa.select(_roles.c.id, _roles.c.is_built_in, _roles.c.parent_role_id).where(_roles.c.id == role_id)
    rows = await within.rows(chosen.with_for_update(key_share=not for_delete))
    if not rows:
        raise NotFound("There is no such role.")
    return rows[0]


def role_object(role_id: int) -> str:
    """What the permissions of a role are notes about."""
    return names.role(role_id)


def _require_custom(role: sa.Row[Any]) -> None:
    if role.is_built_in:
        raise Conflict("This role is built in: it cannot be changed or deleted. Make a role that inherits from it.")
