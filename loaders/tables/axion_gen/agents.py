"""Gen's agents and server-driven screens: chats, tooltips, artifacts, checkpoints and what agents have done."""

import uuid
from datetime import datetime

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from loaders.tables.axion_gen.base import AxionGen, OwnerSubject
from loaders.tables.columns import CreatedAt, Json, UpdatedAt, Uuid7Key
from loaders.tables.uuid7 import uuid7
from loaders.tables.words import named, one_of

ARTIFACT_KINDS = ("chart", "table", "query", "dashboard", "document")
CHECKPOINT_STATES = ("pending", "running", "done", "failed")
OUTCOMES = ("succeeded", "failed", "refused")


class ChatSession(AxionGen):
    __tablename__ = "chat_sessions"
    __table_args__ = (
        Index("ix_chat_sessions_owner_subject_updated_at", "owner_subject", "updated_at"),
        Index("ix_chat_sessions_dataset_id", "dataset_id"),
        Index("ix_chat_sessions_dashboard_id", "dashboard_id"),
        {"schema": "public", "comment": "Conversations of users with agents."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the conversation (UUIDv7).")
    owner_subject: Mapped[OwnerSubject]
    title: Mapped[str] = mapped_column(comment="What the conversation is about.")
    dataset_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("public.datasets.id", ondelete="SET NULL"), comment="Dataset it is about."
    )
    dashboard_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("public.dashboards.id", ondelete="SET NULL"), comment="Dashboard it was started on."
    )
    messages: Mapped[Json] = mapped_column(
        server_default=text("'[]'"),
        comment="Messages, oldest first: objects with `role`, `content`, `at` and `toolCalls`.",
    )
    archived_at: Mapped[datetime | None] = mapped_column(
        comment="When the conversation was archived (UTC); null while it is open."
    )
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]


class TooltipTemplate(AxionGen):
    __tablename__ = "tooltip_templates"
    __table_args__ = (
        UniqueConstraint("dataset_id", "table_name", "name"),
        {
            "schema": "public",
            "comment": "Templates of the tooltips for rows of remote tables on maps and charts.",
        },
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the template (UUIDv7).")
    dataset_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.datasets.id", ondelete="CASCADE"), comment="Dataset of the table."
    )
    table_name: Mapped[str] = mapped_column(comment="Table whose rows it shows.")
    name: Mapped[str] = mapped_column(comment="Name of the template, unique within its table.")
    template: Mapped[str] = mapped_column(comment="Markdown with columns in double braces, such as `{{origin}}`.")
    column_names: Mapped[list[str]] = mapped_column(
        ARRAY(Text),
        server_default=text("'{}'"),
        comment="Columns that the template uses, so that a client knows which to select.",
    )
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]


class AgentArtifactVersion(AxionGen):
    __tablename__ = "agent_artifact_versions"
    __table_args__ = (
        UniqueConstraint("artifact_id", "version"),
        CheckConstraint(one_of("kind", ARTIFACT_KINDS), name="kind"),
        CheckConstraint("version >= 1", name="version"),
        Index("ix_agent_artifact_versions_owner_subject", "owner_subject"),
        Index("ix_agent_artifact_versions_chat_session_id", "chat_session_id"),
        {
            "schema": "public",
            "comment": "Versions of the artifacts that agents made for users: each change adds a row.",
        },
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the version (UUIDv7).")
    owner_subject: Mapped[OwnerSubject]
    artifact_id: Mapped[uuid.UUID] = mapped_column(
        default=uuid7, comment="Id of the artifact, the same in all its versions."
    )
    version: Mapped[int] = mapped_column(server_default="1", comment="Number of the version, from 1.")
    chat_session_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("public.chat_sessions.id", ondelete="CASCADE"), comment="Conversation it was made in."
    )
    kind: Mapped[str] = mapped_column(comment=f"Kind of the artifact: {named(ARTIFACT_KINDS)}.")
    title: Mapped[str] = mapped_column(comment="What the artifact shows.")
    content: Mapped[Json] = mapped_column(
        comment="Content of the artifact. Its format depends on the kind and is up to the client."
    )
    created_at: Mapped[CreatedAt]


class AgentDiscoveryCheckpoint(AxionGen):
    __tablename__ = "agent_discovery_checkpoints"
    __table_args__ = (
        UniqueConstraint("dataset_id", "table_name", "agent", postgresql_nulls_not_distinct=True),
        CheckConstraint(one_of("status", CHECKPOINT_STATES), name="status"),
        {
            "schema": "public",
            "comment": "How far agents have explored datasets, so that they can resume there.",
        },
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the checkpoint (UUIDv7).")
    dataset_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.datasets.id", ondelete="CASCADE"), comment="Dataset that is explored."
    )
    table_name: Mapped[str | None] = mapped_column(comment="Table that is explored; null means the whole dataset.")
    agent: Mapped[str] = mapped_column(comment="Name of the agent that explores it.")
    status: Mapped[str] = mapped_column(
        server_default="pending", comment=f"State of the exploration: {named(CHECKPOINT_STATES)}."
    )
    stage: Mapped[str | None] = mapped_column(comment="Step that the agent was about to take.")
    state: Mapped[Json] = mapped_column(
        JSONB, server_default=text("'{}'"), comment="Data that the agent saved in order to resume."
    )
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]


class AgentAuditEntry(AxionGen):
    __tablename__ = "agent_audit_entries"
    __table_args__ = (
        CheckConstraint(one_of("outcome", OUTCOMES), name="outcome"),
        Index("ix_agent_audit_entries_occurred_at", "occurred_at"),
        Index("ix_agent_audit_entries_subject_occurred_at", "subject", "occurred_at"),
        {
            "schema": "public",
            "comment": "Audit log of agents' actions. Rows are only added: a trigger rejects updates and deletes.",
        },
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the entry (UUIDv7).")
    occurred_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When the agent acted (UTC).")
    subject: Mapped[str] = mapped_column(comment="Subject (`sub`) of the user for whom the agent acted.")
    agent: Mapped[str] = mapped_column(comment="Name of the agent that acted.")
    action: Mapped[str] = mapped_column(comment="Name of the action, such as `query_table`.")
    outcome: Mapped[str] = mapped_column(
        server_default="succeeded", comment=f"Outcome of the action: {named(OUTCOMES)}."
    )
    chat_session_id: Mapped[uuid.UUID | None] = mapped_column(
        comment="Key of the conversation in which the agent acted, which may have been deleted since."
    )
    dataset_id: Mapped[uuid.UUID | None] = mapped_column(
        comment="Key of the dataset that the action was about, which may have been deleted since."
    )
    table_name: Mapped[str | None] = mapped_column(comment="Table that the action was about.")
    details: Mapped[Json] = mapped_column(JSONB, server_default=text("'{}'"), comment="Further details of the action.")
