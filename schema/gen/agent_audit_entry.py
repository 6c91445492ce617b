from loaders.tables.axion_gen import agents
from resolvers.permissions.guards import Admins
from schema.mapping.declare import column, table_type, to_one
from schema.mapping.enums import enum_of_words

GenAgentOutcome = enum_of_words(
    agents.OUTCOMES,
    "GenAgentOutcome",
    "The outcome of an agent's action.",
    {
        "succeeded": "The action succeeded.",
        "failed": "The action failed.",
        "refused": "The action was refused.",
    },
)


@table_type(agents.AgentAuditEntry, store="axion_gen", guard=Admins())
class GenAgentAuditEntry:
    """An action of an agent, and the user it acted for. Entries are never changed or removed. For administrators."""

    occurred_at = column()
    subject = column()
    agent = column()
    action = column()
    outcome = column("The outcome of the action.", enum=GenAgentOutcome)
    chat_session_row_id = column(
        "Raw key of the conversation, which may have been deleted since.", of="chat_session_id"
    )
    dataset_row_id = column("Raw key of the dataset, which may have been deleted since.", of="dataset_id")
    table_name = column()
    details = column()
    user = to_one(
        "GenUser",
        local="subject",
        remote="external_auth_id",
        description="The user it was done for, if Gen knows them.",
    )
    chat_session = to_one(
        "GenChatSession", local="chat_session_id", description="The conversation it was done in, if it is yours."
    )
    dataset = to_one("GenDataset", local="dataset_id", description="The dataset it was done to, while that exists.")
