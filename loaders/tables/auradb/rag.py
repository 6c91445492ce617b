"""Aura text chunks and their embeddings (reference/aura-data-model.md, 1.5)."""

from datetime import datetime

from pgvector.sqlalchemy import Vector
from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from loaders.tables.auradb.base import Auradb
from loaders.tables.auradb.workspaces import Workspace
from loaders.tables.columns import Json, Uuid7Key, utc_now

EMBEDDING_DIMENSIONS = 1536


class RagChunk(Auradb):
    __tablename__ = "rag_chunks"
    __table_args__ = (
        Index(
            "ix_rag_chunks_embedding",
            "embedding",
            postgresql_using="hnsw",
            postgresql_ops={"embedding": "vector_cosine_ops"},
            postgresql_with={"m": 32, "ef_construction": 200},
        ),
        Index("ix_rag_chunks_content_id", "content_id"),
        Index("ix_rag_chunks_workspace_path", "workspace_path"),
        Index("ix_rag_chunks_content_type", "content_type"),
        {"schema": "public", "comment": "Text chunks with their embeddings, for semantic search."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the chunk (UUIDv7).")
    content_id: Mapped[str] = mapped_column(String(500), comment="Key of the document the chunk was cut from.")
    chunk_index: Mapped[int] = mapped_column(comment="Position of the chunk in its document, from 0.")
    content: Mapped[str] = mapped_column(comment="Text of the chunk.")
    embedding: Mapped[list[float]] = mapped_column(
        Vector(EMBEDDING_DIMENSIONS), comment="Embedding of the text, compared by cosine distance."
    )
    source_path: Mapped[str | None] = mapped_column(String(1000), comment="Path of the file the text comes from.")
    content_type: Mapped[str | None] = mapped_column(String(50), comment="Kind of text, such as `Code` or `Markdown`.")
    title: Mapped[str | None] = mapped_column(String(500), comment="Title of the document.")
    workspace_path: Mapped[str | None] = mapped_column(String(1000), comment="Path of the workspace the text is in.")
    metadata_: Mapped[Json | None] = mapped_column(
        "metadata", comment="Further attributes of the chunk, such as the name of a code symbol."
    )
    created_at: Mapped[datetime] = mapped_column(default=utc_now, comment="When the chunk was indexed (UTC).")

    workspace: Mapped[Workspace | None] = relationship(
        primaryjoin="foreign(RagChunk.workspace_path) == Workspace.path", lazy="raise", viewonly=True
    )
