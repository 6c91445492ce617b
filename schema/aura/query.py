"""Aura's root: workspaces and search in their text."""

from collections.abc import Mapping
from typing import Any

import strawberry
from graphql import FieldNode

from loaders.read import Exists
from schema.mapping import types
from schema.mapping.arguments import argument, signature
from schema.mapping.ids import has_id
from schema.mapping.object import OBJECTS, join
from schema.mapping.roots import ConnectionRoot, connection_root, object_root
from schema.mapping.selection import Built, Selection


class _Search(ConnectionRoot):
    """The chunks of one workspace nearest to a text: an ordinary connection whose arguments are filled in here."""

    def build(self, selection: Selection, nodes: list[FieldNode], arguments: Mapping[str, Any]) -> Built:
        chunks, workspaces = OBJECTS[self.target], OBJECTS["AuraWorkspace"]
        of_workspace = Exists(join(chunks.edge("workspace")), has_id(arguments["workspaceId"], workspaces))
        nearest = {"embedding": {"text": arguments["text"]}}
        return selection.connection(chunks, nodes, {**arguments, "nearest": nearest}, where=of_workspace)


_SEARCH = signature(
    {
        "workspace_id": argument(strawberry.ID, "The workspace to search."),
        "text": argument(str, "The text to search for, at most 8,000 characters."),
    },
    {
        "where": argument(types.lazy("AuraRagChunkFilter") | None, "Only chunks that satisfy this filter."),
        "first": argument(int | None, "Maximum number of rows, the most similar first: 50 by default, 1,000 at most."),
        "after": argument(str | None, "Only rows after this cursor."),
    },
    types.lazy("AuraRagChunkConnection") | None,
)


@strawberry.type(description="Conversations, retrieval, code graph and stories.")
class AuraQuery:
    workspace = object_root("AuraWorkspace", "A workspace by its global id.")
    workspaces = connection_root("AuraWorkspace", "The workspaces you may see.")
    rag_chunks = connection_root("AuraRagChunk", "Indexed pieces of text you may see; `nearest` to a text or vector.")
    search = strawberry.field(
        resolver=_SEARCH,
        metadata={"mapping": _Search("AuraRagChunk")},
        description="Chunks of a workspace `nearest` to a text, the most similar first: short for `ragChunks`.",
    )
