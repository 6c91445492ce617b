from loaders.tables.axion_gen import agents
from resolvers.permissions.guards import Visible
from schema.mapping.declare import column, table_type, to_one


@table_type(agents.AgentDiscoveryCheckpoint, store="axion_gen", guard=Visible("dataset", "can_view", "dataset_id"))
class GenDiscoveryCheckpoint:
    """How far an agent has explored a dataset, so that it can resume there."""

    table_name = column()
    agent = column()
    status = column()
    stage = column()
    state = column()
    created_at = column()
    updated_at = column()
    dataset = to_one("GenDataset", local="dataset_id", description="The dataset that is explored.")
