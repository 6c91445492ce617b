"""Aura's root: workspaces and the text that is found in them."""

from collections.abc import Mapping
from typing import Any

import strawberry
from graphql import GraphQLResolveInfo

from resolvers.aura.search import similar_chunks
from resolvers.context import Context
from resolvers.permissions.guards import SignedIn
from schema.mapping import types
from schema.mapping.arguments import argument, signature
from schema.mapping.filters import row_key
from schema.mapping.object import OBJECTS
from schema.mapping.roots import connection_root, object_root, run_connection


async def _search(_: Any, info: GraphQLResolveInfo[Any], arguments: Mapping[str, Any]) -> Any:
    context: Context = info.context
    (workspace_id,) = row_key(arguments["workspaceId"], OBJECTS["AuraWorkspace"])
    search = await similar_chunks(
        context,
        workspace_id=str(workspace_id),
        text=arguments["text"],
        workspaces=OBJECTS["AuraWorkspace"].table,
    )
    return await run_connection(
        OBJECTS["AuraRagChunk"],
        info,
        arguments,
        where=search.where,
        order_by=search.order,
        similarity=search.similarity,
    )


_SEARCH = signature(
    {
        "workspace_id": argument(strawberry.ID, "The workspace to search."),
        "text": argument(str, "What is searched for; at most 8,000 characters."),
    },
    {
        "where": argument(types.lazy("AuraRagChunkFilter") | None, "Only chunks that match."),
        "first": argument(int | None, "At most this many, the most similar first; 50 unless given, at most 1,000."),
        "after": argument(str | None, "Only what follows this cursor."),
    },
    types.lazy("AuraRagChunkConnection") | None,
)


@strawberry.type(description="Conversations, retrieval, code graph and stories.")
class AuraQuery:
    workspace = object_root("AuraWorkspace", "A workspace by its global id.")
    workspaces = connection_root("AuraWorkspace", "The workspaces you may see.")
    search = strawberry.field(
        resolver=_SEARCH,
        metadata={"mapping": _search, "guard": SignedIn("chunks are rows, guarded by their workspace")},
        description="Chunks of a workspace by similarity to a text, the most similar first.",
    )
