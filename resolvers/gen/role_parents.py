"""Which role can inherit from which: no cycles, and no longer chains than OpenFGA follows."""

from typing import Final

from loaders.errors import BadInput, Conflict
from loaders.gen.role_lines import levels_below, line_above, lock_lines
from loaders.postgres.write import Transaction

MAX_LEVELS: Final = 10
"""The maximum length of a chain of inheritance. OpenFGA gives up after 25 steps, and a check needs more steps than its
chain has roles.
"""


async def require_place(within: Transaction, parent_id: int, *, of: int | None = None) -> None:
    """Checks that the role `of`, or a new role, can inherit from `parent_id`, and locks that until the transaction
    ends.

    `BadInput` for a parent that does not exist or has too many ancestors, `Conflict` for one that inherits from `of`.
    """
    await lock_lines(within)
    above = await line_above(within, parent_id, max_levels=MAX_LEVELS)
    if not above:
        raise BadInput("There is no such parent role.", field="parentRoleId")
    if of in above:
        raise Conflict("The parent inherits from this role: neither can inherit from the other.", field="parentRoleId")
    below = 1 if of is None else await levels_below(within, of, max_levels=MAX_LEVELS)
    if len(above) + below > MAX_LEVELS:
        message = f"Roles may inherit from each other over {MAX_LEVELS} levels. Choose a parent with fewer above it."
        raise BadInput(message, field="parentRoleId")
