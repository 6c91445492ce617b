"""Gen's roles and their holders, for the mutations that change them. Each function is one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from loaders.gen.stored import ROLES, USER_ROLES, USERS
from loaders.postgres.write import Transaction

_roles: Final = ROLES.model
_users: Final = USERS.model
_held: Final = USER_ROLES.model


@dataclass(frozen=True, slots=True)
class LockedRole:
    id: int
    is_built_in: bool
    parent_role_id: int | None
    updated_at: datetime


async def lock_role(within: Transaction, role_id: int, *, for_delete: bool) -> LockedRole | None:
    """The role, locked against changes and deletion until the transaction ends."""
    columns = (_roles.c.id, _roles.c.is_built_in, _roles.c.parent_role_id, _roles.c.updated_at)
    chosen = sa.select(*columns).where(_roles.c.id == role_id)
    rows = await within.rows(chosen.with_for_update(key_share=not for_delete))
    if not rows:
        return None
    row = rows[0]
    return LockedRole(row.id, row.is_built_in, row.parent_role_id, row.updated_at)


async def is_inherited(within: Transaction, role_id: int) -> bool:
    return bool(await within.rows(sa.select(_roles.c.id).where(_roles.c.parent_role_id == role_id).limit(1)))


async def holders(within: Transaction, role_id: int) -> Sequence[str]:
    """The `sub` of each holder of the role."""
    people = sa.select(_users.c.external_auth_id).join(_held, _held.c.user_id == _users.c.id)
    return [str(person.external_auth_id) for person in await within.rows(people.where(_held.c.role_id == role_id))]


async def is_held(within: Transaction, role_id: int) -> bool:
    """Whether an active user holds the role."""
    active = sa.select(_held.c.user_id).join(_users, _users.c.id == _held.c.user_id)
    return bool(await within.rows(active.where(_held.c.role_id == role_id, _users.c.is_active).limit(1)))


@dataclass(frozen=True, slots=True)
class LockedUser:
    subject: str
    is_active: bool
    updated_at: datetime


async def lock_user(within: Transaction, user_id: int, *, for_update: bool = False) -> LockedUser | None:
    """The user, locked against changes until the transaction ends; with `for_update` against other holders of this
    lock, too. Locks of roles are taken before it.
    """
    columns = (_users.c.external_auth_id, _users.c.is_active, _users.c.updated_at)
    chosen = sa.select(*columns).where(_users.c.id == user_id)
    rows = await within.rows(chosen.with_for_update(read=not for_update, key_share=for_update))
    return LockedUser(rows[0].external_auth_id, rows[0].is_active, rows[0].updated_at) if rows else None


async def lock_held(within: Transaction, user_id: int) -> frozenset[int]:
    """The roles that the user holds, locked against deletion until the transaction ends."""
    chosen = sa.select(_roles.c.id).join(_held, _held.c.role_id == _roles.c.id).where(_held.c.user_id == user_id)
    rows = await within.rows(chosen.order_by(_roles.c.id).with_for_update(read=True, key_share=True, of=_roles))
    return frozenset(row.id for row in rows)


async def held(within: Transaction, user_id: int) -> frozenset[int]:
    """The roles that the user holds."""
    rows = await within.rows(sa.select(_held.c.role_id).where(_held.c.user_id == user_id))
    return frozenset(row.role_id for row in rows)
