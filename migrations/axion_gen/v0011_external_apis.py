"""APIs of others, and users' sealed tokens for them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA, TIMESTAMP, UUID

revision = "0011_external_apis"
down_revision = "0010_agents"


def upgrade() -> None:
    op.create_table(
        "external_apis",
        sa.Column("id", UUID(), nullable=False, comment="Key of the API (UUIDv7)."),
        sa.Column("name", sa.Text(), nullable=False, comment="Name of the API; unique."),
        sa.Column("description", sa.Text(), comment="What it is used for."),
        sa.Column("base_url", sa.Text(), nullable=False, comment="Address its requests go below."),
        sa.Column(
            "authorization_url",
            sa.Text(),
            nullable=False,
            comment="OAuth 2 authorization endpoint, where users consent.",
        ),
        sa.Column("token_url", sa.Text(), nullable=False, comment="OAuth 2 token endpoint, where codes become tokens."),
        sa.Column("client_id", sa.Text(), nullable=False, comment="Id the API knows this platform by."),
        sa.Column(
            "scopes",
            sa.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Scopes that are asked for.",
        ),
        sa.Column(
            "is_enabled",
            sa.Boolean(),
            server_default=sa.true(),
            nullable=False,
            comment="Whether users may connect to it.",
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
        sa.CheckConstraint(
            "authorization_url ~ '^https?://[^/?#@[:space:]]+'", name="ck_external_apis_authorization_url"
        ),
        sa.CheckConstraint("base_url ~ '^https?://[^/?#@[:space:]]+'", name="ck_external_apis_base_url"),
        sa.CheckConstraint("token_url ~ '^https?://[^/?#@[:space:]]+'", name="ck_external_apis_token_url"),
        sa.PrimaryKeyConstraint("id", name="pk_external_apis"),
        sa.UniqueConstraint("name", name="uq_external_apis_name"),
        schema="public",
        comment="APIs of others that users connect with OAuth 2. Holds no secret.",
    )

    op.create_table(
        "user_external_api_tokens",
        sa.Column("id", UUID(), nullable=False, comment="Key of the connection (UUIDv7)."),
        sa.Column("owner_subject", sa.Text(), nullable=False, comment="Subject (`sub`) of who made it."),
        sa.Column("external_api_id", UUID(), nullable=False, comment="API the token is for."),
        sa.Column(
            "encrypted_token",
            BYTEA(),
            nullable=False,
            comment="AES-256-GCM ciphertext of the refresh token's UTF-8 bytes.",
        ),
        sa.Column("nonce", BYTEA(), nullable=False, comment="Nonce of the encryption, 12 bytes, fresh for each write."),
        sa.Column("tag", BYTEA(), nullable=False, comment="Authentication tag of the encryption, 16 bytes."),
        sa.Column(
            "key_version", sa.Integer(), nullable=False, comment="Version of the key the token is encrypted with."
        ),
        sa.Column(
            "scopes",
            sa.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Scopes the user has granted.",
        ),
        sa.Column(
            "expires_at",
            TIMESTAMP(timezone=True),
            comment="When the refresh token expires (UTC); null when the API does not say.",
        ),
        sa.Column(
            "refreshed_at", TIMESTAMP(timezone=True), comment="When it was last used to get an access token (UTC)."
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
        sa.CheckConstraint(
            "octet_length(nonce) = 12 AND octet_length(tag) = 16", name="ck_user_external_api_tokens_encrypted_sizes"
        ),
        sa.ForeignKeyConstraint(
            ["external_api_id"],
            ["public.external_apis.id"],
            name="fk_user_external_api_tokens_external_api_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["owner_subject"],
            ["public.users.external_auth_id"],
            name="fk_user_external_api_tokens_owner_subject",
            ondelete="CASCADE",
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_user_external_api_tokens"),
        sa.UniqueConstraint(
            "owner_subject", "external_api_id", name="uq_user_external_api_tokens_owner_subject_external_api_id"
        ),
        schema="public",
        comment="Refresh tokens of users for APIs of others, sealed.",
    )
    op.create_index(
        "ix_user_external_api_tokens_external_api_id", "user_external_api_tokens", ["external_api_id"], schema="public"
    )
    op.create_index(
        "ix_user_external_api_tokens_key_version", "user_external_api_tokens", ["key_version"], schema="public"
    )
