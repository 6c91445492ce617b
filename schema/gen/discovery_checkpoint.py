from loaders.tables.axion_gen import agents
from resolvers.permissions.guards import Visible
from schema.mapping.declare import column, table_type, to_one
from schema.mapping.enums import enum_of_words

GenCheckpointStatus = enum_of_words(
    agents.CHECKPOINT_STATES,
    "GenCheckpointStatus",
    "The state of an agent's exploration.",
    {
        "pending": "The exploration has not begun.",
        "running": "The agent is exploring.",
        "done": "The exploration is complete.",
        "failed": "The exploration failed.",
    },
)


@table_type(agents.AgentDiscoveryCheckpoint, store="axion_gen", guard=Visible("dataset", "can_view", "dataset_id"))
class GenDiscoveryCheckpoint:
    """How far an agent has explored a dataset, so that it can resume there."""

    table_name = column()
    agent = column()
    status = column("The state of the exploration.", enum=GenCheckpointStatus)
    stage = column()
    state = column()
    created_at = column()
    updated_at = column()
    dataset = to_one("GenDataset", local="dataset_id", description="The dataset that is explored.")
