"""Chats, artifacts in versions, and what agents did, which nobody changes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

revision = "0010_agents"
down_revision = "0009_articles_and_metrics"

_REFUSE = """
CREATE FUNCTION public.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""
_APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON public.agent_audit_entries
FOR EACH ROW EXECUTE FUNCTION public.refuse_change()
"""
_NEVER_EMPTIED = """
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON public.agent_audit_entries
FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change()
"""
_IMMUTABLE = """
CREATE TRIGGER immutable BEFORE UPDATE OF id, artifact_id, version, kind, title, content, created_at
ON public.agent_artifact_versions FOR EACH ROW EXECUTE FUNCTION public.refuse_change()
"""


def upgrade() -> None:
    op.create_table(
        "chat_sessions",
        sa.Column("id", UUID(), nullable=False, comment="Key of the conversation (UUIDv7)."),
        sa.Column("owner_subject", sa.Text(), nullable=False, comment="Subject (`sub`) of who made it."),
        sa.Column("title", sa.Text(), nullable=False, comment="What it is about."),
        sa.Column("dataset_id", UUID(), comment="Dataset it is about."),
        sa.Column("dashboard_id", UUID(), comment="Dashboard it was begun on."),
        sa.Column(
            "messages",
            JSONB(),
            server_default=sa.text("'[]'"),
            nullable=False,
            comment="What was said, oldest first: `role`, `content`, `at` and `toolCalls`.",
        ),
        sa.Column(
            "archived_at", TIMESTAMP(timezone=True), comment="When it was put away (UTC); null while it is open."
        ),
        sa.Column(
            "created_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When it was added (UTC).",
        ),
        sa.Column(
            "updated_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When it was last changed (UTC).",
        ),
        sa.ForeignKeyConstraint(
            ["dashboard_id"], ["public.dashboards.id"], name="fk_chat_sessions_dashboard_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["public.datasets.id"], name="fk_chat_sessions_dataset_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["owner_subject"],
            ["public.users.external_auth_id"],
            name="fk_chat_sessions_owner_subject",
            ondelete="CASCADE",
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_chat_sessions"),
        schema="public",
        comment="Conversations of users with agents.",
    )
    op.create_index("ix_chat_sessions_dashboard_id", "chat_sessions", ["dashboard_id"], schema="public")
    op.create_index("ix_chat_sessions_dataset_id", "chat_sessions", ["dataset_id"], schema="public")
    op.create_index(
        "ix_chat_sessions_owner_subject_updated_at", "chat_sessions", ["owner_subject", "updated_at"], schema="public"
    )

    op.create_table(
        "agent_artifact_versions",
        sa.Column("id", UUID(), nullable=False, comment="Key of the version (UUIDv7)."),
        sa.Column("owner_subject", sa.Text(), nullable=False, comment="Subject (`sub`) of who made it."),
        sa.Column("artifact_id", UUID(), nullable=False, comment="The artifact, the same in all its versions."),
        sa.Column(
            "version", sa.Integer(), server_default="1", nullable=False, comment="Number of the version, from 1."
        ),
        sa.Column("chat_session_id", UUID(), comment="Conversation it was made in."),
        sa.Column(
            "kind", sa.Text(), nullable=False, comment="What it is: `chart`, `table`, `query`, `dashboard`, `document`."
        ),
        sa.Column("title", sa.Text(), nullable=False, comment="What it shows."),
        sa.Column(
            "content", JSONB(), nullable=False, comment="The artifact, as its kind and the client understand it."
        ),
        sa.Column(
            "created_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When it was added (UTC).",
        ),
        sa.CheckConstraint(
            "kind IN ('chart', 'table', 'query', 'dashboard', 'document')", name="ck_agent_artifact_versions_kind"
        ),
        sa.CheckConstraint("version >= 1", name="ck_agent_artifact_versions_version"),
        sa.ForeignKeyConstraint(
            ["chat_session_id"],
            ["public.chat_sessions.id"],
            name="fk_agent_artifact_versions_chat_session_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["owner_subject"],
            ["public.users.external_auth_id"],
            name="fk_agent_artifact_versions_owner_subject",
            ondelete="CASCADE",
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_agent_artifact_versions"),
        sa.UniqueConstraint("artifact_id", "version", name="uq_agent_artifact_versions_artifact_id_version"),
        schema="public",
        comment="What agents have made for users: each change is a new row, none is changed.",
    )
    op.create_index(
        "ix_agent_artifact_versions_chat_session_id", "agent_artifact_versions", ["chat_session_id"], schema="public"
    )
    op.create_index(
        "ix_agent_artifact_versions_owner_subject", "agent_artifact_versions", ["owner_subject"], schema="public"
    )

    op.create_table(
        "agent_audit_entries",
        sa.Column("id", UUID(), nullable=False, comment="Key of the entry (UUIDv7)."),
        sa.Column(
            "occurred_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When it was done (UTC).",
        ),
        sa.Column("subject", sa.Text(), nullable=False, comment="Subject (`sub`) in whose name it was done."),
        sa.Column("agent", sa.Text(), nullable=False, comment="Name of the agent that did it."),
        sa.Column("action", sa.Text(), nullable=False, comment="What it did, such as `query_table`."),
        sa.Column(
            "outcome",
            sa.Text(),
            server_default="succeeded",
            nullable=False,
            comment="How it ended: `succeeded`, `failed`, `refused`.",
        ),
        sa.Column(
            "chat_session_id", UUID(), comment="Key of the conversation it was done in, which may be gone since."
        ),
        sa.Column("dataset_id", UUID(), comment="Key of the dataset it was done to, which may be gone since."),
        sa.Column("table_name", sa.Text(), comment="Table it was done to."),
        sa.Column(
            "details", JSONB(), server_default=sa.text("'{}'"), nullable=False, comment="What else there is to know."
        ),
        sa.CheckConstraint("outcome IN ('succeeded', 'failed', 'refused')", name="ck_agent_audit_entries_outcome"),
        sa.PrimaryKeyConstraint("id", name="pk_agent_audit_entries"),
        schema="public",
        comment="What agents did for whom. Rows are added only: a trigger refuses to change or remove them.",
    )
    op.create_index("ix_agent_audit_entries_occurred_at", "agent_audit_entries", ["occurred_at"], schema="public")
    op.create_index(
        "ix_agent_audit_entries_subject_occurred_at", "agent_audit_entries", ["subject", "occurred_at"], schema="public"
    )
    op.execute(_REFUSE)
    op.execute(_APPEND_ONLY)
    op.execute(_NEVER_EMPTIED)
    op.execute(_IMMUTABLE)
