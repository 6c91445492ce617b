from loaders.tables.axion_gen import agents
from resolvers.permissions.guards import Own
from schema.mapping.declare import column, table_type, to_many, to_one


@table_type(agents.ChatSession, store="axion_gen", guard=Own("owner_subject", "id", personal=True))
class GenChatSession:
    """One of your conversations with an agent. Nobody else can see it."""

    title = column()
    messages = column()
    archived_at = column()
    created_at = column()
    updated_at = column()
    dataset = to_one("GenDataset", local="dataset_id", description="The dataset it is about.")
    dashboard = to_one("GenDashboard", local="dashboard_id", description="The dashboard it was started on.")
    artifacts = to_many("GenArtifactVersion", remote="chat_session_id", description="The artifacts made in it.")
