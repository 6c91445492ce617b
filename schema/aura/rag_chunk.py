from loaders.read import Join
from loaders.tables.auradb import rag
from resolvers.permissions.guards import Visible
from schema.aura import workspace as _declared_first  # noqa: F401 - its table is what the guard walks through
from schema.mapping.declare import column, score, table_type, to_one
from schema.mapping.object import OBJECTS

_WORKSPACE = Join(OBJECTS["AuraWorkspace"].table, ("workspace_path",), ("path",))


@table_type(rag.RagChunk, store="auradb", guard=Visible("workspace", "can_view", "id", via=(_WORKSPACE,)))
class AuraRagChunk:
    """A piece of indexed text with its embedding, found by similarity (`nearest`)."""

    content_id = column()
    chunk_index = column()
    content = column()
    source_path = column()
    content_type = column()
    title = column()
    metadata = column()
    created_at = column()
    score = score("Cosine similarity to the vector searched for, from -1 to 1; null without `nearest`.", of="embedding")
    workspace = to_one("AuraWorkspace", local="workspace_path", remote="path", description="The workspace of the text.")
