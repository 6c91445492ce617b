"""Tokens of others' APIs that are to be revoked there: what is left of connections that ended here."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from loaders.tables.axion_gen.base import AxionGen
from loaders.tables.axion_gen.catalog import ENCRYPTED_SIZES
from loaders.tables.columns import CreatedAt, Uuid7Key

_NONCE = "Nonce of the encryption, 12 bytes, fresh for each write."
_TAG = "Authentication tag of the encryption, 16 bytes."
_VERSION = "Version of the key it is encrypted with."


class TokenRevocation(AxionGen):
    __tablename__ = "external_api_revocations"
    __table_args__ = (
        CheckConstraint(
            "num_nulls(encrypted_client_secret, nonce, tag, key_version) IN (0, 4)", name="encrypted_together"
        ),
        CheckConstraint(ENCRYPTED_SIZES, name="encrypted_sizes"),
        Index("ix_external_api_revocations_key_version", "key_version"),
        Index("ix_external_api_revocations_created_at", "created_at"),
        {
            "schema": "public",
            "comment": "Where tokens of connections that ended here are revoked: an API as it was when they ended.",
        },
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the revocation (UUIDv7).")
    api_name: Mapped[str] = mapped_column(comment="Name the API had.")
    revocation_url: Mapped[str] = mapped_column(comment="OAuth 2 revocation endpoint it had (RFC 7009).")
    client_id: Mapped[str] = mapped_column(comment="Id the API knows this platform by.")
    encrypted_client_secret: Mapped[bytes | None] = mapped_column(
        comment="AES-256-GCM ciphertext of the client secret's UTF-8 bytes; null for a public client."
    )
    nonce: Mapped[bytes | None] = mapped_column(comment=_NONCE)
    tag: Mapped[bytes | None] = mapped_column(comment=_TAG)
    key_version: Mapped[int | None] = mapped_column(comment=_VERSION)
    next_attempt_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="From when on the worker asks the API (UTC)."
    )
    attempts: Mapped[int] = mapped_column(
        server_default="0", comment="How often in a row the API did not revoke a token."
    )
    last_error: Mapped[str | None] = mapped_column(comment="Why it did not, the last time.")
    created_at: Mapped[CreatedAt]


class TokenToRevoke(AxionGen):
    __tablename__ = "external_api_revocation_tokens"
    __table_args__ = (
        CheckConstraint(ENCRYPTED_SIZES, name="encrypted_sizes"),
        CheckConstraint("num_nonnulls(revocation_id, account_id) = 1", name="one"),
        Index("ix_external_api_revocation_tokens_account_id", "account_id"),
        Index("ix_external_api_revocation_tokens_revocation_id", "revocation_id", "attempts", "id"),
        Index("ix_external_api_revocation_tokens_key_version", "key_version"),
        {"schema": "public", "comment": "Refresh tokens that are to be revoked, sealed; gone when they are."},
    )

    id: Mapped[uuid.UUID] = mapped_column(
        primary_key=True, comment="Key of the connection that ended, or of the replacement."
    )
    revocation_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("public.external_api_revocations.id", ondelete="CASCADE"),
        comment="Where it is revoked; null while its connection lasts.",
    )
    encrypted_token: Mapped[bytes] = mapped_column(comment="AES-256-GCM ciphertext of the refresh token's UTF-8 bytes.")
    nonce: Mapped[bytes] = mapped_column(comment=_NONCE)
    tag: Mapped[bytes] = mapped_column(comment=_TAG)
    key_version: Mapped[int] = mapped_column(comment=_VERSION)
    attempts: Mapped[int] = mapped_column(
        server_default=text("0"), comment="How often it was tried in vain: those tried less come first."
    )
    account_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("public.user_external_api_tokens.id", ondelete="CASCADE"),
        comment="The connection it was replaced in, which lasts; null once that ended.",
    )
