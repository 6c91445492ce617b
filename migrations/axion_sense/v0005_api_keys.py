"""API keys, and the service accounts that have nothing else to sign in with."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP, UUID

revision = "0005_api_keys"
down_revision = "0004_idempotency_keys"


def upgrade() -> None:
    op.create_table_comment(
        "users", "Who uses the platform: people, by OIDC subject, and service accounts.", schema="public"
    )
    op.add_column(
        "users",
        sa.Column(
            "kind",
            sa.Text(),
            server_default=sa.text("'person'"),
            nullable=False,
            comment="`person`, or `service` for an account that has API keys only.",
        ),
        schema="public",
    )
    op.create_check_constraint("ck_users_kind", "users", "kind IN ('person', 'service')", schema="public")
    op.create_table(
        "api_keys",
        sa.Column("id", UUID(), nullable=False, comment="Key of the API key (UUIDv7), part of what the program sends."),
        sa.Column("user_id", sa.BigInteger(), nullable=False, comment="User or service account it acts as."),
        sa.Column("name", sa.Text(), nullable=False, comment="What the key is for."),
        sa.Column("secret_sha256", sa.LargeBinary(), nullable=False, comment="SHA-256 of the secret."),
        sa.Column(
            "scopes",
            sa.ARRAY(sa.Text()),
            nullable=False,
            comment="What it may be used for, such as `gen:read` or `sense:write`, which includes reading.",
        ),
        sa.Column(
            "created_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When it was made (UTC).",
        ),
        sa.Column(
            "expires_at",
            TIMESTAMP(timezone=True),
            nullable=False,
            comment="When it ends (UTC), at most 366 days after it was made.",
        ),
        sa.Column(
            "revoked_at",
            TIMESTAMP(timezone=True),
            comment="When it was revoked (UTC); null while it may be used.",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.ForeignKeyConstraint(["user_id"], ["public.users.id"], name="fk_api_keys_user_id", ondelete="CASCADE"),
        sa.CheckConstraint("octet_length(secret_sha256) = 32", name="ck_api_keys_secret_sha256"),
        sa.CheckConstraint("cardinality(scopes) > 0", name="ck_api_keys_scopes"),
        sa.CheckConstraint(
            "expires_at BETWEEN created_at AND created_at + interval '366 days'", name="ck_api_keys_expires_at"
        ),
        schema="public",
        comment="Keys that programs send instead of an OIDC token; the secret is not kept.",
    )
    op.create_index("ix_api_keys_user_id", "api_keys", ["user_id"], schema="public")
