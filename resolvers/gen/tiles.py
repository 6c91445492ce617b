"""Tile bundles of datasets: one PMTiles file per `DatasetMap`, under the reference's key in the gateway's bucket."""

import asyncio
from urllib.parse import quote
from uuid import UUID

from loaders.errors import Code, NotFound
from loaders.gen.registered import mapped_column
from loaders.openfga import names
from resolvers.context import Context
from resolvers.gen.store import STORE
from resolvers.gen.tables import can_view
from resolvers.permissions.scopes import require_scope_to_read


def bundle_key(dataset_id: UUID, table_name: str, map_id: UUID) -> str:
    """`tiles/{datasetId:N}/{tableName}/{mapId:N}.pmtiles` (reference, "What's not here")."""
    return f"tiles/{dataset_id.hex}/{table_name}/{map_id.hex}.pmtiles"


async def bundle_url(context: Context, dataset_id: UUID, table_name: str, map_id: UUID, column: str) -> str | None:
    """The path under which the gateway serves the bundle; None when curation hides the table or the mapped column."""
    if not await _is_shown(context, dataset_id, table_name, column):
        return None
    return bundle_path(dataset_id, table_name, map_id)


def bundle_path(dataset_id: UUID, table_name: str, map_id: UUID) -> str:
    return f"/tiles/{dataset_id.hex}/{quote(table_name, safe='')}/{map_id.hex}.pmtiles"


async def visible_bundle(context: Context, dataset_id: UUID, table_name: str, map_id: UUID) -> str:
    """The key of a bundle whose table the subject may see (`can_view`, as for the table's rows).

    `NotFound` for a map that does not exist, a table the subject may not see, and a table or column that curation
    hides; the audit log records refusals by permission. `Unauthenticated` without a subject, `Forbidden` for an API key
    without `gen:read`, `PermissionsUnavailable` without a verdict.
    """
    context.verdicts.require_subject()
    require_scope_to_read(context.subject, (STORE,))
    gen = context.stores.postgres[STORE]
    allowed = await can_view(context, dataset_id, table_name)
    column = await mapped_column(map_id, dataset_id, table_name, gen=gen, ledger=context.ledger)
    if column is not None and not allowed:
        context.denied(f"tiles:{names.table(dataset_id, table_name)}", Code.FORBIDDEN)
    if column is None or not allowed or not await _is_shown(context, dataset_id, table_name, column):
        raise NotFound("There are no such tiles, or you may not see them.")
    return bundle_key(dataset_id, table_name, map_id)


async def _is_shown(context: Context, dataset_id: UUID, table_name: str, column: str) -> bool:
    place = await asyncio.shield(context.gen.places.load(dataset_id))
    return place is not None and place.shows(table_name, column)
