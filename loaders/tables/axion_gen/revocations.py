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
_VERSION = "Version of the encryption key."


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
            "comment": "Token revocations to send to external APIs, each with the API's settings when "
            "the connections ended.",
        },
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the revocation (UUIDv7).")
    api_name: Mapped[str] = mapped_column(comment="Name of the API when the connections ended.")
    revocation_url: Mapped[str] = mapped_column(comment="OAuth 2 revocation endpoint of the API (RFC 7009).")
    client_id: Mapped[str] = mapped_column(comment="OAuth 2 client id of this platform at the API.")
    encrypted_client_secret: Mapped[bytes | None] = mapped_column(
        comment="AES-256-GCM ciphertext of the client secret's UTF-8 bytes; null for a public client."
    )
    nonce: Mapped[bytes | None] = mapped_column(comment=_NONCE)
    tag: Mapped[bytes | None] = mapped_column(comment=_TAG)
    key_version: Mapped[int | None] = mapped_column(comment=_VERSION)
    next_attempt_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="Earliest time at which the worker sends the next request to the API (UTC)."
    )
    attempts: Mapped[int] = mapped_column(server_default="0", comment="Number of failed attempts in a row.")
    last_error: Mapped[str | None] = mapped_column(comment="Error of the last failed attempt; null after a success.")
    created_at: Mapped[CreatedAt]


class TokenToRevoke(AxionGen):
    __tablename__ = "external_api_revocation_tokens"
    __table_args__ = (
        CheckConstraint(ENCRYPTED_SIZES, name="encrypted_sizes"),
        CheckConstraint("num_nonnulls(revocation_id, account_id) = 1", name="one"),
        Index("ix_external_api_revocation_tokens_account_id", "account_id"),
        Index("ix_external_api_revocation_tokens_revocation_id", "revocation_id", "attempts", "id"),
        Index("ix_external_api_revocation_tokens_key_version", "key_version"),
        {
            "schema": "public",
            "comment": "Encrypted refresh tokens to be revoked. A row is deleted once its token is revoked.",
        },
    )

    id: Mapped[uuid.UUID] = mapped_column(
        primary_key=True, comment="Key of the connection that ended; a new UUIDv7 for a token that was replaced."
    )
    revocation_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("public.external_api_revocations.id", ondelete="CASCADE"),
        comment="Revocation that the token belongs to; null while its connection exists.",
    )
    encrypted_token: Mapped[bytes] = mapped_column(comment="AES-256-GCM ciphertext of the refresh token's UTF-8 bytes.")
    nonce: Mapped[bytes] = mapped_column(comment=_NONCE)
    tag: Mapped[bytes] = mapped_column(comment=_TAG)
    key_version: Mapped[int] = mapped_column(comment=_VERSION)
    attempts: Mapped[int] = mapped_column(
        server_default=text("0"), comment="Number of failed attempts. Tokens with fewer attempts are tried first."
    )
    account_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("public.user_external_api_tokens.id", ondelete="CASCADE"),
        comment="Existing connection in which the token was replaced; null once the connection has ended.",
    )
