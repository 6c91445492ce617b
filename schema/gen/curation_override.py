from loaders.tables.axion_gen import curation
from resolvers.permissions.guards import Visible
from schema.mapping.declare import column, table_type, to_one


@table_type(curation.CurationOverride, store="axion_gen", guard=Visible("dataset", "can_view", "dataset_id"))
class GenCurationOverride:
    """How a remote table or column is shown where it differs from the engine: name, description, format, visibility."""

    table_name = column()
    column_name = column()
    display_name = column()
    description = column()
    is_hidden = column()
    unit = column()
    format = column()
    semantic_type = column()
    position = column()
    created_at = column()
    updated_at = column()
    dataset = to_one("GenDataset", local="dataset_id", description="The dataset of the curated table.")
