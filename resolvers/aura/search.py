"""Similarity search of text in a workspace (reference/aura-data-model.md, 5.1)."""

from dataclasses import dataclass

from loaders.description import Table
from loaders.errors import BadInput
from loaders.read import Col, Compare, CosineSimilarity, Exists, Join, Op, OrderBy, Predicate
from resolvers.context import Context

MAX_TEXT = 8_000


@dataclass(frozen=True, slots=True)
class Search:
    """What a similarity search adds to a read of chunks."""

    where: Predicate
    order: tuple[OrderBy, ...]
    similarity: CosineSimilarity


async def similar_chunks(context: Context, *, workspace_id: str, text: str, workspaces: Table) -> Search:
    """Embeds the text: the workspace's chunks, the most similar first. `BadInput` for empty or overlong text."""
    context.verdicts.require_subject()
    if not text.strip() or len(text) > MAX_TEXT:
        raise BadInput(f"`text` must hold 1 to {MAX_TEXT} characters that are not all spaces.")
    (vector,) = await context.stores.embeddings.embed([text])
    similarity = CosineSimilarity("embedding", tuple(vector))
    in_workspace = Exists(Join(workspaces, ("workspace_path",), ("path",)), Compare(Col("id"), Op.EQ, workspace_id))
    return Search(in_workspace, (OrderBy(similarity, descending=True),), similarity)
