from loaders.tables.axion_gen import agents
from resolvers.permissions.guards import Admins
from schema.mapping.declare import column, table_type, to_one


@table_type(agents.AgentAuditEntry, store="axion_gen", guard=Admins())
class GenAgentAuditEntry:
    """An action of an agent, and the user it acted for. Entries are never changed or removed. For administrators."""

    occurred_at = column()
    subject = column()
    agent = column()
    action = column()
    outcome = column()
    chat_session_id = column()
    dataset_id = column()
    table_name = column()
    details = column()
    user = to_one(
        "GenUser",
        local="subject",
        remote="external_auth_id",
        description="The user it was done for, if Gen knows them.",
    )
    dataset = to_one("GenDataset", local="dataset_id", description="The dataset it was done to, while that exists.")
