"""Workspaces and the freshness of their indexes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP, UUID

revision = "0001_workspaces"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "workspaces",
        sa.Column(
            "id",
            sa.String(length=100),
            nullable=False,
            comment="First 16 hexadecimal digits of the SHA-256 of the normalized path.",
        ),
        sa.Column("name", sa.String(length=500), nullable=False, comment="Name to show."),
        sa.Column("path", sa.String(length=1000), nullable=False, comment="Normalized path of the folder; unique."),
        sa.Column(
            "is_git_repository",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="Whether the folder is a Git checkout.",
        ),
        sa.Column("current_commit_sha", sa.String(length=40), comment="Commit that is checked out."),
        sa.Column("rag_indexed_at", TIMESTAMP(timezone=True), comment="When the text index was last built (UTC)."),
        sa.Column("rag_indexed_commit_sha", sa.String(length=40), comment="Commit the text index was built from."),
        sa.Column("graph_indexed_at", TIMESTAMP(timezone=True), comment="When the code graph was last built (UTC)."),
        sa.Column("graph_indexed_commit_sha", sa.String(length=40), comment="Commit the code graph was built from."),
        sa.Column(
            "created_at", TIMESTAMP(timezone=True), nullable=False, comment="When the workspace was registered (UTC)."
        ),
        sa.Column(
            "updated_at", TIMESTAMP(timezone=True), nullable=False, comment="When the workspace was last changed (UTC)."
        ),
        sa.PrimaryKeyConstraint("id", name="pk_workspaces"),
        schema="public",
        comment="Folders registered for search and code analysis.",
    )
    op.create_index("ix_workspaces_path", "workspaces", ["path"], unique=True, schema="public")

    op.create_table(
        "index_metadata",
        sa.Column("id", UUID(), nullable=False, comment="Key of the entry (UUIDv7)."),
        sa.Column("file_path", sa.String(length=1000), nullable=False, comment="Path of the indexed file."),
        sa.Column(
            "workspace_path", sa.String(length=1000), nullable=False, comment="Path of the workspace the file is in."
        ),
        sa.Column(
            "content_hash",
            sa.String(length=64),
            nullable=False,
            comment="SHA-256 of the indexed content, in hexadecimal.",
        ),
        sa.Column("indexed_at", TIMESTAMP(timezone=True), nullable=False, comment="When the file was indexed (UTC)."),
        sa.Column("index_type", sa.String(length=50), nullable=False, comment="`rag` or `graph`."),
        sa.PrimaryKeyConstraint("id", name="pk_index_metadata"),
        schema="public",
        comment="Which content of each file is in which index.",
    )
    op.create_index(
        "ix_index_metadata_file_workspace_type",
        "index_metadata",
        ["file_path", "workspace_path", "index_type"],
        unique=True,
        schema="public",
    )
