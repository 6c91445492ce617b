"""Aura workspaces and the freshness of their indexes (reference/aura-data-model.md, 1.8 and 1.9)."""

from datetime import datetime

from sqlalchemy import Index, String, false
from sqlalchemy.orm import Mapped, mapped_column

from loaders.tables.auradb.base import Auradb
from loaders.tables.columns import Uuid7Key, utc_now
from loaders.tables.idempotency_key import IdempotencyKeyTable


class Workspace(Auradb):
    __tablename__ = "workspaces"
    __table_args__ = (
        Index("ix_workspaces_path", "path", unique=True),
        {"schema": "public", "comment": "Folders registered for search and code analysis."},
    )

    id: Mapped[str] = mapped_column(
        String(100), primary_key=True, comment="First 16 hexadecimal digits of the SHA-256 of the normalized path."
    )
    name: Mapped[str] = mapped_column(String(500), comment="Name to show.")
    path: Mapped[str] = mapped_column(String(1000), comment="Normalized path of the folder; unique.")
    is_git_repository: Mapped[bool] = mapped_column(
        server_default=false(), comment="Whether the folder is a Git checkout."
    )
    current_commit_sha: Mapped[str | None] = mapped_column(String(40), comment="Commit that is checked out.")
    rag_indexed_at: Mapped[datetime | None] = mapped_column(comment="When the text index was last built (UTC).")
    rag_indexed_commit_sha: Mapped[str | None] = mapped_column(
        String(40), comment="Commit the text index was built from."
    )
    graph_indexed_at: Mapped[datetime | None] = mapped_column(comment="When the code graph was last built (UTC).")
    graph_indexed_commit_sha: Mapped[str | None] = mapped_column(
        String(40), comment="Commit the code graph was built from."
    )
    created_at: Mapped[datetime] = mapped_column(default=utc_now, comment="When the workspace was registered (UTC).")
    updated_at: Mapped[datetime] = mapped_column(
        default=utc_now, onupdate=utc_now, comment="When the workspace was last changed (UTC)."
    )


class IndexMetadata(Auradb):
    __tablename__ = "index_metadata"
    __table_args__ = (
        Index("ix_index_metadata_file_workspace_type", "file_path", "workspace_path", "index_type", unique=True),
        {
            "schema": "public",
            "comment": "Indexed files of each workspace, with the hash of the content that was indexed.",
        },
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the entry (UUIDv7).")
    file_path: Mapped[str] = mapped_column(String(1000), comment="Path of the indexed file.")
    workspace_path: Mapped[str] = mapped_column(String(1000), comment="Path of the workspace the file is in.")
    content_hash: Mapped[str] = mapped_column(String(64), comment="SHA-256 of the indexed content, in hexadecimal.")
    indexed_at: Mapped[datetime] = mapped_column(default=utc_now, comment="When the file was indexed (UTC).")
    index_type: Mapped[str] = mapped_column(String(50), comment="Index that the file is in: `rag` or `graph`.")


class IdempotencyKey(IdempotencyKeyTable, Auradb):
    """Mutations of this database's rows."""
