"""Audit entries on their way to ClickHouse."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

revision = "0006_audit_outbox"
down_revision = "0005_api_keys"


def upgrade() -> None:
    op.create_table(
        "audit_outbox",
        sa.Column("id", UUID(), nullable=False, comment="Key of the entry (UUIDv7), the same in ClickHouse."),
        sa.Column(
            "organization_id",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Organization it happened in; 0 for the platform itself.",
        ),
        sa.Column(
            "created_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When it happened (UTC).",
        ),
        sa.Column(
            "actor",
            sa.Text(),
            nullable=False,
            comment="Who did it, as OpenFGA names subjects; empty for nobody signed in.",
        ),
        sa.Column("action", sa.Text(), nullable=False, comment="What was done."),
        sa.Column(
            "resource", sa.Text(), nullable=False, comment="To what: an object of OpenFGA, or a field of the API."
        ),
        sa.Column("request_id", sa.Text(), nullable=False, comment="Request that did it."),
        sa.Column(
            "context",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Further facts of the action.",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_audit_outbox"),
        schema="public",
        comment="Audit entries on their way to ClickHouse, written in the transaction they tell of.",
    )
    op.create_index("ix_audit_outbox_created_at", "audit_outbox", ["created_at"], schema="public")
