from loaders.tables.axion_gen import agents
from resolvers.permissions.guards import Own
from schema.mapping.declare import column, table_type, to_many, to_one
from schema.mapping.enums import enum_of_words

GenArtifactKind = enum_of_words(
    agents.ARTIFACT_KINDS,
    "GenArtifactKind",
    "The kind of an artifact that an agent made.",
    {
        "chart": "A chart.",
        "table": "Rows and columns.",
        "query": "A query.",
        "dashboard": "A dashboard.",
        "document": "A text document.",
    },
)


@table_type(agents.AgentArtifactVersion, store="axion_gen", guard=Own("owner_subject", "id", personal=True))
class GenArtifactVersion:
    """A version of an artifact that an agent made for you. It never changes; the highest number is the newest."""

    artifact_id = column()
    version = column()
    kind = column("The kind of the artifact.", enum=GenArtifactKind)
    title = column()
    content = column()
    created_at = column()
    chat_session = to_one("GenChatSession", local="chat_session_id", description="The conversation it was made in.")
    versions = to_many(
        "GenArtifactVersion", local="artifact_id", remote="artifact_id", description="All versions of the artifact."
    )
