"""Tokens of connections that end are revoked by the worker, whatever the API does meanwhile."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA, TIMESTAMP, UUID

revision = "0018_token_revocations"
down_revision = "0017_query_flag"

_PLACES, _TOKENS = "external_api_revocations", "external_api_revocation_tokens"
_SIZES = "octet_length(nonce) = 12 AND octet_length(tag) = 16"
_NOW = sa.func.now()


def _sealed(name: str, comment: str, *, nullable: bool) -> list[sa.Column[object]]:
    return [
        sa.Column(name, BYTEA(), nullable=nullable, comment=f"AES-256-GCM ciphertext of {comment}."),
        sa.Column(
            "nonce", BYTEA(), nullable=nullable, comment="Nonce of the encryption, 12 bytes, fresh for each write."
        ),
        sa.Column("tag", BYTEA(), nullable=nullable, comment="Authentication tag of the encryption, 16 bytes."),
        sa.Column("key_version", sa.Integer(), nullable=nullable, comment="Version of the key it is encrypted with."),
    ]


def upgrade() -> None:
    op.create_table(
        _PLACES,
        sa.Column("id", UUID(), nullable=False, comment="Key of the revocation (UUIDv7)."),
        sa.Column("api_name", sa.Text(), nullable=False, comment="Name the API had."),
        sa.Column(
            "revocation_url", sa.Text(), nullable=False, comment="OAuth 2 revocation endpoint it had (RFC 7009)."
        ),
        sa.Column("client_id", sa.Text(), nullable=False, comment="Id the API knows this platform by."),
        *_sealed("encrypted_client_secret", "the client secret's UTF-8 bytes; null for a public client", nullable=True),
        sa.Column(
            "next_attempt_at",
            TIMESTAMP(timezone=True),
            server_default=_NOW,
            nullable=False,
            comment="From when on the worker asks the API (UTC).",
        ),
        sa.Column(
            "attempts",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="How often in a row the API did not revoke a token.",
        ),
        sa.Column("last_error", sa.Text(), comment="Why it did not, the last time."),
        sa.Column(
            "created_at",
            TIMESTAMP(timezone=True),
            server_default=_NOW,
            nullable=False,
            comment="When it was added (UTC).",
        ),
        sa.CheckConstraint(
            "num_nulls(encrypted_client_secret, nonce, tag, key_version) IN (0, 4)",
            name=f"ck_{_PLACES}_encrypted_together",
        ),
        sa.CheckConstraint(_SIZES, name=f"ck_{_PLACES}_encrypted_sizes"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{_PLACES}"),
        schema="public",
        comment="Where tokens of connections that ended here are revoked: an API as it was when they ended.",
    )
    op.create_table(
        _TOKENS,
        sa.Column("id", UUID(), nullable=False, comment="Key of the connection that ended."),
        sa.Column("revocation_id", UUID(), nullable=False, comment="Where it is revoked."),
        *_sealed("encrypted_token", "the refresh token's UTF-8 bytes", nullable=False),
        sa.Column(
            "attempts",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="How often it was tried in vain: those tried less come first.",
        ),
        sa.CheckConstraint(_SIZES, name=f"ck_{_TOKENS}_encrypted_sizes"),
        sa.ForeignKeyConstraint(
            ["revocation_id"],
            ["public.external_api_revocations.id"],
            name=f"fk_{_TOKENS}_revocation_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{_TOKENS}"),
        schema="public",
        comment="Refresh tokens that are to be revoked, sealed; gone when they are.",
    )
    for table in (_PLACES, _TOKENS):
        op.create_index(f"ix_{table}_key_version", table, ["key_version"], schema="public")
    op.create_index(f"ix_{_PLACES}_created_at", _PLACES, ["created_at"], schema="public")
    op.create_index(f"ix_{_TOKENS}_revocation_id", _TOKENS, ["revocation_id", "attempts", "id"], schema="public")
