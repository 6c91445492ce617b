"""OAuth 2: client secrets, authorizations under way, and access tokens, all sealed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA, TIMESTAMP, UUID

revision = "0013_oauth"
down_revision = "0012_external_api_addresses"

_APIS, _STARTED, _ACCESS = "external_apis", "external_api_authorizations", "external_api_access_tokens"
_SIZES = "octet_length(nonce) = 12 AND octet_length(tag) = 16"


def _sealed(name: str, comment: str, *, nullable: bool) -> list[sa.Column[object]]:
    return [
        sa.Column(name, BYTEA(), nullable=nullable, comment=f"AES-256-GCM ciphertext of {comment}."),
        sa.Column(
            "nonce", BYTEA(), nullable=nullable, comment="Nonce of the encryption, 12 bytes, fresh for each write."
        ),
        sa.Column("tag", BYTEA(), nullable=nullable, comment="Authentication tag of the encryption, 16 bytes."),
        sa.Column("key_version", sa.Integer(), nullable=nullable, comment="Version of the key it is encrypted with."),
    ]


def _created() -> sa.Column[object]:
    now = sa.func.now()
    return sa.Column(
        "created_at", TIMESTAMP(timezone=True), server_default=now, nullable=False, comment="When it was added (UTC)."
    )


def upgrade() -> None:
    for column in _sealed("encrypted_client_secret", "the client secret's UTF-8 bytes", nullable=True):
        op.add_column(_APIS, column, schema="public")
    together = "num_nulls(encrypted_client_secret, nonce, tag, key_version) IN (0, 4)"
    op.create_check_constraint("ck_external_apis_encrypted_together", _APIS, together, schema="public")
    op.create_check_constraint("ck_external_apis_encrypted_sizes", _APIS, _SIZES, schema="public")
    op.create_index("ix_external_apis_key_version", _APIS, ["key_version"], schema="public")
    op.create_table_comment(_APIS, "APIs of others that users connect with OAuth 2.", schema="public")
    op.create_table(
        _STARTED,
        sa.Column("id", UUID(), nullable=False, comment="Key of the authorization (UUIDv7)."),
        sa.Column("owner_subject", sa.Text(), nullable=False, comment="Subject (`sub`) of who made it."),
        sa.Column("external_api_id", UUID(), nullable=False, comment="API the authorization is for."),
        sa.Column("state_sha256", BYTEA(), nullable=False, comment="SHA-256 of the `state` that was sent along."),
        *_sealed("encrypted_verifier", "the PKCE verifier's ASCII bytes", nullable=False),
        sa.Column("redirect_url", sa.Text(), nullable=False, comment="Where the API was asked to send the user back."),
        sa.Column("expires_at", TIMESTAMP(timezone=True), nullable=False, comment="When it is void (UTC)."),
        _created(),
        sa.CheckConstraint(_SIZES, name=f"ck_{_STARTED}_encrypted_sizes"),
        sa.ForeignKeyConstraint(
            ["external_api_id"],
            ["public.external_apis.id"],
            name=f"fk_{_STARTED}_external_api_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["owner_subject"],
            ["public.users.external_auth_id"],
            name=f"fk_{_STARTED}_owner_subject",
            ondelete="CASCADE",
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{_STARTED}"),
        sa.UniqueConstraint("state_sha256", name=f"uq_{_STARTED}_state_sha256"),
        sa.UniqueConstraint("owner_subject", "external_api_id", name=f"uq_{_STARTED}_owner_subject_external_api_id"),
        schema="public",
        comment="OAuth 2 authorizations under way: one of a user for an API, for a few minutes.",
    )
    op.create_index(f"ix_{_STARTED}_external_api_id", _STARTED, ["external_api_id"], schema="public")
    op.create_index(f"ix_{_STARTED}_key_version", _STARTED, ["key_version"], schema="public")
    op.create_table(
        _ACCESS,
        sa.Column("id", UUID(), nullable=False, comment="Key of the connection it belongs to."),
        *_sealed("encrypted_token", "the access token's UTF-8 bytes", nullable=False),
        sa.Column("expires_at", TIMESTAMP(timezone=True), nullable=False, comment="When it expires (UTC)."),
        _created(),
        sa.CheckConstraint(_SIZES, name=f"ck_{_ACCESS}_encrypted_sizes"),
        sa.ForeignKeyConstraint(
            ["id"], ["public.user_external_api_tokens.id"], name=f"fk_{_ACCESS}_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{_ACCESS}"),
        schema="public",
        comment="Access tokens of users' connections, sealed; shared by all processes until they expire.",
    )
    op.create_index(f"ix_{_ACCESS}_key_version", _ACCESS, ["key_version"], schema="public")
