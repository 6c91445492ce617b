"""Text chunks with embeddings, found by cosine distance through HNSW."""

import sqlalchemy as sa
from alembic import op
from pgvector.sqlalchemy import Vector
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

revision = "0002_rag_chunks"
down_revision = "0001_workspaces"


def upgrade() -> None:
    op.create_table(
        "rag_chunks",
        sa.Column("id", UUID(), nullable=False, comment="Key of the chunk (UUIDv7)."),
        sa.Column(
            "content_id", sa.String(length=500), nullable=False, comment="Key of the document the chunk was cut from."
        ),
        sa.Column("chunk_index", sa.Integer(), nullable=False, comment="Place of the chunk in its document, from 0."),
        sa.Column("content", sa.Text(), nullable=False, comment="Text of the chunk."),
        sa.Column(
            "embedding", Vector(1536), nullable=False, comment="Embedding of the text, compared by cosine distance."
        ),
        sa.Column("source_path", sa.String(length=1000), comment="Path of the file the text comes from."),
        sa.Column("content_type", sa.String(length=50), comment="Kind of text, such as `Code` or `Markdown`."),
        sa.Column("title", sa.String(length=500), comment="Title of the document."),
        sa.Column("workspace_path", sa.String(length=1000), comment="Path of the workspace the text is in."),
        sa.Column("metadata", JSONB(), comment="Free attributes, such as the symbol's name."),
        sa.Column("created_at", TIMESTAMP(timezone=True), nullable=False, comment="When the chunk was indexed (UTC)."),
        sa.PrimaryKeyConstraint("id", name="pk_rag_chunks"),
        schema="public",
        comment="Pieces of text with their embeddings, for search by meaning.",
    )
    op.create_index("ix_rag_chunks_content_id", "rag_chunks", ["content_id"], schema="public")
    op.create_index("ix_rag_chunks_content_type", "rag_chunks", ["content_type"], schema="public")
    op.create_index(
        "ix_rag_chunks_embedding",
        "rag_chunks",
        ["embedding"],
        schema="public",
        postgresql_using="hnsw",
        postgresql_ops={"embedding": "vector_cosine_ops"},
    )
    op.create_index("ix_rag_chunks_workspace_path", "rag_chunks", ["workspace_path"], schema="public")
