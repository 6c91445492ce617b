"""Accounts and their users."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP, UUID

revision = "0001_accounts"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", UUID(), nullable=False, comment="Key of the account (UUIDv7)."),
        sa.Column("name", sa.Text(), nullable=False, comment="Name of the organisation."),
        sa.Column(
            "created_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When the account was made (UTC).",
        ),
        sa.Column(
            "updated_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When the account was last changed (UTC).",
        ),
        sa.Column(
            "discarded_at", TIMESTAMP(timezone=True), comment="When the account was discarded (UTC); null if in use."
        ),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        schema="public",
        comment="Tenants of Powernode, one per organisation.",
    )

    op.create_table(
        "users",
        sa.Column("id", UUID(), nullable=False, comment="Key of the user (UUIDv7)."),
        sa.Column("account_id", UUID(), nullable=False, comment="Account of the user."),
        sa.Column("name", sa.Text(), nullable=False, comment="Name to show."),
        sa.Column(
            "created_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When the user was made (UTC).",
        ),
        sa.Column(
            "updated_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When the user was last changed (UTC).",
        ),
        sa.Column(
            "discarded_at", TIMESTAMP(timezone=True), comment="When the user was discarded (UTC); null if in use."
        ),
        sa.ForeignKeyConstraint(["account_id"], ["public.accounts.id"], name="fk_users_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        schema="public",
        comment="Users of an account.",
    )
    op.create_index("ix_users_account_id", "users", ["account_id"], schema="public")
