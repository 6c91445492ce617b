from loaders.tables.axion_gen import agents
from resolvers.permissions.guards import Visible
from schema.mapping.declare import column, table_type, to_one


@table_type(agents.TooltipTemplate, store="axion_gen", guard=Visible("dataset", "can_view", "dataset_id"))
class GenTooltipTemplate:
    """A template of the tooltip for a row of a remote table."""

    table_name = column()
    name = column()
    template = column()
    column_names = column()
    created_at = column()
    updated_at = column()
    dataset = to_one("GenDataset", local="dataset_id", description="The dataset of the table.")
