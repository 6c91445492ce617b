from uuid import UUID

import strawberry

from loaders.tables.axion_gen import catalog
from resolvers.context import Context
from resolvers.gen.tiles import bundle_url
from resolvers.permissions.fields import ByRows
from resolvers.permissions.guards import Visible
from schema.mapping.declare import column, resolved, table_type, to_one
from schema.mapping.splice import Row

Info = strawberry.Info[Context, None]
_ADDRESS = ByRows("the address of a map that is seen; what is there has a guard of its own")


async def _url(row: strawberry.Parent[Row], info: Info) -> str | None:
    if row.required("built_at") is None:
        return None
    dataset_id, id_ = UUID(row.required("dataset_id")), UUID(row.required("id"))
    return await bundle_url(info.context, dataset_id, row.required("table_name"), id_, row.required("geometry_column"))


@table_type(catalog.DatasetMap, store="axion_gen", guard=Visible("dataset", "can_view", "dataset_id"))
class GenDatasetMap:
    """Vector tiles of a remote table: one PMTiles bundle on S3."""

    table_name = column()
    name = column()
    geometry_column = column()
    min_zoom = column()
    max_zoom = column()
    built_at = column()
    size_bytes = column()
    url = resolved(
        _url,
        requires=("id", "dataset_id", "table_name", "geometry_column", "built_at"),
        guard=_ADDRESS,
        description="The path under which the gateway serves ranges of the bundle, with the same token; null if it "
        "was never built, and when curation hides the table or the mapped column.",
    )
    created_at = column()
    updated_at = column()
    dataset = to_one("GenDataset", local="dataset_id", description="The dataset of the mapped table.")
