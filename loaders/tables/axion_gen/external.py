"""Gen's integrations: APIs of others, and the sealed tokens users have given the platform for them."""

import uuid
from datetime import datetime

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text, true
from sqlalchemy.orm import Mapped, mapped_column

from loaders.tables.axion_gen.base import AxionGen, OwnerSubject
from loaders.tables.axion_gen.catalog import ENCRYPTED_SIZES
from loaders.tables.columns import CreatedAt, UpdatedAt, Uuid7Key

_HTTPS = "{} ~ '^https?://[^/?#@[:space:]]+([/?#][^[:space:]]*)?$'"


class ExternalApi(AxionGen):
    __tablename__ = "external_apis"
    __table_args__ = (
        UniqueConstraint("name"),
        *(CheckConstraint(_HTTPS.format(url), name=url) for url in ("base_url", "authorization_url", "token_url")),
        {"schema": "public", "comment": "APIs of others that users connect with OAuth 2. Holds no secret."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the API (UUIDv7).")
    name: Mapped[str] = mapped_column(comment="Name of the API; unique.")
    description: Mapped[str | None] = mapped_column(comment="What it is used for.")
    base_url: Mapped[str] = mapped_column(comment="Address its requests go below.")
    authorization_url: Mapped[str] = mapped_column(comment="OAuth 2 authorization endpoint, where users consent.")
    token_url: Mapped[str] = mapped_column(comment="OAuth 2 token endpoint, where codes become tokens.")
    client_id: Mapped[str] = mapped_column(comment="Id the API knows this platform by.")
    scopes: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), comment="Scopes that are asked for."
    )
    is_enabled: Mapped[bool] = mapped_column(server_default=true(), comment="Whether users may connect to it.")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]


class UserExternalApiToken(AxionGen):
    __tablename__ = "user_external_api_tokens"
    __table_args__ = (
        UniqueConstraint("owner_subject", "external_api_id"),
        CheckConstraint(ENCRYPTED_SIZES, name="encrypted_sizes"),
        Index("ix_user_external_api_tokens_external_api_id", "external_api_id"),
        Index("ix_user_external_api_tokens_key_version", "key_version"),
        {"schema": "public", "comment": "Refresh tokens of users for APIs of others, sealed."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the connection (UUIDv7).")
    owner_subject: Mapped[OwnerSubject]
    external_api_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.external_apis.id", ondelete="CASCADE"), comment="API the token is for."
    )
    encrypted_token: Mapped[bytes] = mapped_column(comment="AES-256-GCM ciphertext of the refresh token's UTF-8 bytes.")
    nonce: Mapped[bytes] = mapped_column(comment="Nonce of the encryption, 12 bytes, fresh for each write.")
    tag: Mapped[bytes] = mapped_column(comment="Authentication tag of the encryption, 16 bytes.")
    key_version: Mapped[int] = mapped_column(comment="Version of the key the token is encrypted with.")
    scopes: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), comment="Scopes the user has granted."
    )
    expires_at: Mapped[datetime | None] = mapped_column(
        comment="When the refresh token expires (UTC); null when the API does not say."
    )
    refreshed_at: Mapped[datetime | None] = mapped_column(comment="When it was last used to get an access token (UTC).")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
