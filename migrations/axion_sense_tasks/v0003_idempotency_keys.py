"""Mutations done under an `Idempotency-Key`."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

revision = "0003_idempotency_keys"
down_revision = "0002_jobs"


def upgrade() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("subject", sa.Text(), nullable=False, comment="Subject (`sub`) of the caller."),
        sa.Column("key", sa.Text(), nullable=False, comment="What the caller sent as `Idempotency-Key`."),
        sa.Column("mutation", sa.Text(), nullable=False, comment="Name of the mutation, such as `senseHoldCreate`."),
        sa.Column(
            "response_key",
            sa.Text(),
            nullable=False,
            comment="Name or alias of the mutation in its document, which may hold it several times.",
        ),
        sa.Column(
            "input_sha256",
            sa.Text(),
            nullable=False,
            comment="SHA-256 of the input, 64 hexadecimal digits in lower case.",
        ),
        sa.Column(
            "row_key",
            JSONB(),
            server_default=sa.text("'[]'"),
            nullable=False,
            comment="Key of the row the mutation was about: the texts of its parts.",
        ),
        sa.Column(
            "created_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When the mutation was done (UTC); a day later the row is removed.",
        ),
        sa.PrimaryKeyConstraint("subject", "key", "mutation", "response_key", name="pk_idempotency_keys"),
        schema="public",
        comment="Mutations done under an `Idempotency-Key`, written in the transaction of their change.",
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], schema="public")
