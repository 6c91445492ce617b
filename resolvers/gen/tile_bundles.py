"""Records the state of a map's tiles: whether the gateway's bucket has a bundle, since when, and its size."""

from datetime import datetime
from uuid import UUID

from loaders.errors import Conflict, NotFound
from loaders.postgres import row_writes
from loaders.postgres.stored_table import Key
from loaders.postgres.write import transaction
from resolvers.context import Context
from resolvers.gen.store import STORE
from resolvers.gen.tiles import bundle_key
from resolvers.permissions.guards import Policies
from resolvers.target import Target, require_allowed, stored_row

_MAGIC = b"PMTiles\x03"


async def note_bundle(context: Context, target: Target, key: Key, policies: Policies) -> None:
    """Records the size and age of the bundle at the map's key, or that there is none.

    `NotFound` for a map the caller may not see; `Forbidden` for one the caller may not write; `Conflict` when the
    object is not a PMTiles bundle of version 3, in which case nothing changes.
    """
    context.verdicts.require_subject()
    async with transaction(context.stores.postgres[STORE], context.ledger) as within:
        row = await stored_row(context, target, key, within, policies, also=("id", "table_name"))
        await require_allowed(context, target, row, within)
        map_id, dataset_id = row["id"], row["dataset_id"]
        assert isinstance(map_id, UUID)
        assert isinstance(dataset_id, UUID)
        found = await _found(context, bundle_key(dataset_id, str(row["table_name"]), map_id))
        size, at = (None, None) if found is None else found
        await row_writes.update(within, target.rows, key, {"size_bytes": size, "built_at": at})


async def _found(context: Context, key: str) -> tuple[int, datetime] | None:
    """The bundle's size, and the instant of its last change."""
    try:
        reader = await context.stores.objects.open_input(key)
    except NotFound:
        return None
    head = b"".join([chunk async for chunk in reader.stream(0, min(reader.size, len(_MAGIC)))])
    if head != _MAGIC:
        raise Conflict(f"What is at `{key}` is no PMTiles bundle of version 3. Put the map's bundle there.")
    return reader.size, reader.modified_at
