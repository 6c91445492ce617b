"""The source of the installed `starlette` as a workspace, chunked and embedded file by file."""

import hashlib
from itertools import groupby

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from deploy.local.demo_data.people import People
from deploy.local.samples.source import Chunk, starlette_chunks, starlette_version
from gateway.auth.demo_issuer import DEMO_USERS
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.tuples import RelationTuple
from loaders.stores import Stores
from loaders.tables.auradb.rag import RagChunk
from loaders.tables.auradb.workspaces import IndexMetadata, Workspace
from loaders.tables.columns import utc_now
from loaders.tables.uuid7 import uuid7
from resolvers.aura.workspaces import workspace_id

PATH = "/samples/starlette"


async def load_workspace(stores: Stores, _: People) -> str:
    """Embeds the files whose text or embedding model changed since they were indexed (`index_metadata`)."""
    chunks = starlette_chunks()
    async with stores.postgres["auradb"].transaction() as session:
        made = insert(Workspace).values(id=workspace_id(PATH), name="starlette", path=PATH)
        await session.execute(made.on_conflict_do_nothing())
        rows = await session.execute(
            select(IndexMetadata.file_path, IndexMetadata.content_hash).where(
                IndexMetadata.workspace_path == PATH, IndexMetadata.index_type == "rag"
            )
        )
        indexed = {row.file_path: row.content_hash for row in rows}
    for path, pieces in groupby(chunks, key=lambda chunk: chunk.path):
        of_file = list(pieces)
        digest = _digest(stores.embeddings.model, of_file)
        if indexed.get(path) != digest:
            await _index(stores, path, of_file, digest)
    analyst = names.user(DEMO_USERS["analyst"].subject)
    member = RelationTuple(analyst, "member", names.workspace(workspace_id(PATH)))
    await stores.openfga.write([member], ledger=Ledger())
    return f"{len(chunks)} chunks of starlette {starlette_version()}, embedded by {stores.embeddings.model}"


def _digest(embeddings: str, chunks: list[Chunk]) -> str:
    text = "\n".join([embeddings, *(chunk.text for chunk in chunks)])
    return hashlib.sha256(text.encode()).hexdigest()


async def _index(stores: Stores, path: str, chunks: list[Chunk], digest: str) -> None:
    vectors = await stores.embeddings.embed([f"{chunk.title}\n{chunk.text}" for chunk in chunks])
    content_id = f"{workspace_id(PATH)}:{path}"
    async with stores.postgres["auradb"].transaction() as session:
        await session.execute(delete(RagChunk).where(RagChunk.content_id == content_id))
        session.add_all(
            RagChunk(
                id=uuid7(),
                content_id=content_id,
                chunk_index=chunk.index,
                content=chunk.text,
                embedding=vector,
                source_path=chunk.path,
                content_type="Code",
                title=chunk.title[:500],
                workspace_path=PATH,
                metadata_={
                    "symbol": chunk.symbol,
                    "firstLine": chunk.first_line,
                    "lastLine": chunk.last_line,
                    "embeddings": stores.embeddings.model,
                },
            )
            for chunk, vector in zip(chunks, vectors, strict=True)
        )
        entry = {"content_hash": digest, "indexed_at": utc_now()}
        key = {"file_path": path, "workspace_path": PATH, "index_type": "rag"}
        upsert = insert(IndexMetadata).values(id=uuid7(), **key, **entry)
        await session.execute(upsert.on_conflict_do_update(index_elements=list(key), set_=entry))
        workspace = await session.get_one(Workspace, workspace_id(PATH))
        workspace.rag_indexed_at = utc_now()
