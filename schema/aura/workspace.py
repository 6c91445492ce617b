from loaders.tables.auradb import workspaces
from resolvers.permissions.guards import Visible
from schema.mapping.declare import column, table_type, to_many


@table_type(workspaces.Workspace, store="auradb", guard=Visible("workspace", "can_view", "id"))
class AuraWorkspace:
    """A registered folder of code whose text and code graph are indexed."""

    name = column()
    path = column()
    is_git_repository = column()
    current_commit_sha = column("The commit that is checked out.")
    rag_indexed_at = column()
    rag_indexed_commit_sha = column("The commit the text index was built from.")
    graph_indexed_at = column()
    graph_indexed_commit_sha = column("The commit the code graph was built from.")
    created_at = column()
    updated_at = column()
    chunks = to_many("AuraRagChunk", local="path", remote="workspace_path", description="Its indexed pieces of text.")
