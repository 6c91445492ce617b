"""Which filter of a dashboard can be the parent of which: parents narrow their children's choices, without cycles."""

from collections.abc import Mapping
from uuid import UUID

from loaders.errors import Conflict
from loaders.gen.filter_lines import line_above, lock_lines
from loaders.postgres.stored_table import Key
from loaders.postgres.write import Transaction
from loaders.read import Value
from resolvers.context import Context


async def refuse_circle(_: Context, within: Transaction, key: Key, patch: Mapping[str, Value]) -> None:
    """To be called before a change of a filter, under the lock of its row. Raises `Conflict` when the filter would
    become its own ancestor. A new filter has no children, so only changes need the check.
    """
    parent, (id_,) = patch.get("parent_filter_id"), key
    if parent is None:
        return
    assert isinstance(parent, UUID)
    await lock_lines(within)
    if id_ in await line_above(within, parent):
        message = "This filter narrows that parent already: two filters cannot narrow each other."
        raise Conflict(message, field="parentFilterId")
