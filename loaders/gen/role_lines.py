"""The inheritance of roles. Each function is one statement."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from loaders.gen.stored import ROLES
from loaders.postgres.write import Transaction

_LOCK: Final = 0x726F6C6573  # of everyone who gives a role a parent
_roles: Final = ROLES.model


async def lock_lines(within: Transaction) -> None:
    """Takes a lock that every change of a role's parent takes, until the transaction ends."""
    await within.rows(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


async def line_above(within: Transaction, role_id: int, *, max_levels: int) -> Sequence[int]:
    """The role and its ancestors, up to `max_levels` above it; empty when the role does not exist."""
    return [row.id for row in await within.rows(_line(role_id, max_levels, up=True))]


async def levels_below(within: Transaction, role_id: int, *, max_levels: int) -> int:
    """The length of the longest chain of roles that inherit from it: 1 if there are none, at most `max_levels` below
    it, and 0 when the role does not exist.
    """
    return max((int(row.level) for row in await within.rows(_line(role_id, max_levels, up=False))), default=0)


def _line(role_id: int, max_levels: int, *, up: bool) -> sa.Select[tuple[int, int]]:
    """The role (level 1) and the roles it inherits from, or those that inherit from it."""
    start = sa.select(_roles.c.id, _roles.c.parent_role_id, sa.literal(1).label("level")).where(_roles.c.id == role_id)
    line = start.cte("line", recursive=True)
    follows = _roles.c.id == line.c.parent_role_id if up else _roles.c.parent_role_id == line.c.id
    step = sa.select(_roles.c.id, _roles.c.parent_role_id, line.c.level + 1)
    line = line.union_all(step.join(line, follows).where(line.c.level <= max_levels))
    return sa.select(line.c.id, line.c.level)
