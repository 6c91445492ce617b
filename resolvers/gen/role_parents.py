"""Which role may inherit from which: no cycles, and no longer lines than OpenFGA follows."""

from typing import Final, cast

import sqlalchemy as sa

from loaders.errors import BadInput, Conflict
from loaders.postgres.write import Transaction
from loaders.tables.axion_gen.identity import Role

MAX_LEVELS: Final = 10
"""Roles of one line of inheritance. OpenFGA gives up at 25 steps, of which a check needs more than its line has."""

_LOCK: Final = 0x726F6C6573  # of everyone who gives a role a parent
_roles = cast(sa.Table, Role.__table__)


async def require_place(within: Transaction, parent_id: int, *, of: int | None = None) -> None:
    """The role `of`, or a new one, may inherit from `parent_id`; so it is until the transaction ends.

    `BadInput` for a parent that is not there or has too many above it, `Conflict` for one that inherits from `of`.
    """
    await within.rows(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    above = [row.id for row in await within.rows(_line(parent_id, up=True))]
    if not above:
        raise BadInput("There is no such parent role.", field="parentRoleId")
    if of in above:
        raise Conflict("The parent inherits from this role: neither can inherit from the other.", field="parentRoleId")
    below = 1 if of is None else max(row.level for row in await within.rows(_line(of, up=False)))
    if len(above) + below > MAX_LEVELS:
        message = f"Roles may inherit from each other over {MAX_LEVELS} levels. Choose a parent with fewer above it."
        raise BadInput(message, field="parentRoleId")


def _line(role_id: int, *, up: bool) -> sa.Select[tuple[int, int]]:
    """The role (level 1) and those it inherits from, or those that inherit from it."""
    start = sa.select(_roles.c.id, _roles.c.parent_role_id, sa.literal(1).label("level")).where(_roles.c.id == role_id)
    line = start.cte("line", recursive=True)
    follows = _roles.c.id == line.c.parent_role_id if up else _roles.c.parent_role_id == line.c.id
    step = sa.select(_roles.c.id, _roles.c.parent_role_id, line.c.level + 1)
    line = line.union_all(step.join(line, follows).where(line.c.level <= MAX_LEVELS))
    return sa.select(line.c.id, line.c.level)
