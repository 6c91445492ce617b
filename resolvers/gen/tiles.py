"""Tile bundles of datasets: one PMTiles file for each `DatasetMap`, at the reference's key in the gateway's bucket."""

from urllib.parse import quote
from uuid import UUID

from loaders.errors import Code, NotFound
from loaders.gen.registered import has_map
from loaders.openfga import names
from resolvers.context import Context
from resolvers.gen.store import STORE
from resolvers.gen.tables import can_view
from resolvers.permissions.scopes import require_scope_to_read


def bundle_key(dataset_id: UUID, table_name: str, map_id: UUID) -> str:
    """`tiles/{datasetId:N}/{tableName}/{mapId:N}.pmtiles` (reference, "What's not here")."""
    return f"tiles/{dataset_id.hex}/{table_name}/{map_id.hex}.pmtiles"


def bundle_url(dataset_id: UUID, table_name: str, map_id: UUID) -> str:
    """The path the gateway serves it at."""
    return f"/tiles/{dataset_id.hex}/{quote(table_name, safe='')}/{map_id.hex}.pmtiles"


async def visible_bundle(context: Context, dataset_id: UUID, table_name: str, map_id: UUID) -> str:
    """The key of a bundle whose table the subject may see (`can_view`, as for the table's rows).

    `NotFound` for a hidden table as for an absent map; which of the two it was, the audit log has. `Unauthenticated`
    without a subject, `Forbidden` for an API key without `gen:read`, `PermissionsUnavailable` without a verdict.
    """
    context.verdicts.require_subject()
    require_scope_to_read(context.subject, (STORE,))
    gen = context.stores.postgres[STORE]
    allowed = await can_view(context, dataset_id, table_name)
    found = await has_map(map_id, dataset_id, table_name, gen=gen, ledger=context.ledger)
    if found and not allowed:
        context.denied(f"tiles:{names.table(dataset_id, table_name)}", Code.FORBIDDEN)
    if not found or not allowed:
        raise NotFound("There are no such tiles, or you may not see them.")
    return bundle_key(dataset_id, table_name, map_id)
