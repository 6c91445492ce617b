from loaders.tables.axion_gen import catalog
from resolvers.permissions.guards import Visible
from schema.mapping.declare import column, table_type, to_one


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
    created_at = column()
    updated_at = column()
    dataset = to_one("GenDataset", local="dataset_id", description="The dataset of the mapped table.")
