"""Gen's integrations: APIs of others, and the sealed tokens users have given the platform for them."""

import uuid
from datetime import datetime

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text, true
from sqlalchemy.orm import Mapped, mapped_column

from loaders.tables.axion_gen.base import AxionGen, OwnerSubject
from loaders.tables.axion_gen.catalog import ENCRYPTED_SIZES
from loaders.tables.columns import CreatedAt, UpdatedAt, Uuid7Key

_NONCE = "Nonce of the encryption, 12 bytes, fresh for each write."
_TAG = "Authentication tag of the encryption, 16 bytes."
_VERSION = "Version of the encryption key."
_HTTPS = "{} ~ '^https?://[^/?#@[:space:]]+([/?#][^[:space:]]*)?$'"


_URLS = ("base_url", "authorization_url", "token_url", "issuer", "revocation_url")


class ExternalApi(AxionGen):
    __tablename__ = "external_apis"
    __table_args__ = (
        UniqueConstraint("name"),
        *(CheckConstraint(_HTTPS.format(url), name=url) for url in _URLS),
        CheckConstraint(
            "num_nulls(encrypted_client_secret, nonce, tag, key_version) IN (0, 4)", name="encrypted_together"
        ),
        CheckConstraint(ENCRYPTED_SIZES, name="encrypted_sizes"),
        Index("ix_external_apis_key_version", "key_version"),
        {"schema": "public", "comment": "External APIs that users connect to with OAuth 2."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the API (UUIDv7).")
    name: Mapped[str] = mapped_column(comment="Name of the API; unique.")
    description: Mapped[str | None] = mapped_column(comment="What the API is used for.")
    base_url: Mapped[str] = mapped_column(comment="Base URL of the API.")
    authorization_url: Mapped[str] = mapped_column(comment="OAuth 2 authorization endpoint, where users consent.")
    token_url: Mapped[str] = mapped_column(comment="OAuth 2 token endpoint, which exchanges codes for tokens.")
    client_id: Mapped[str] = mapped_column(comment="OAuth 2 client id of this platform at the API.")
    scopes: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), comment="OAuth 2 scopes that are requested."
    )
    is_enabled: Mapped[bool] = mapped_column(server_default=true(), comment="Whether users may connect to the API.")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
    encrypted_client_secret: Mapped[bytes | None] = mapped_column(
        comment="AES-256-GCM ciphertext of the client secret's UTF-8 bytes."
    )
    nonce: Mapped[bytes | None] = mapped_column(comment=_NONCE)
    tag: Mapped[bytes | None] = mapped_column(comment=_TAG)
    key_version: Mapped[int | None] = mapped_column(comment=_VERSION)
    issuer: Mapped[str | None] = mapped_column(
        comment="Issuer that authorization responses must state exactly as `iss` (RFC 9207); "
        "null if the API sends none."
    )
    revocation_url: Mapped[str | None] = mapped_column(
        comment="OAuth 2 revocation endpoint (RFC 7009); null if the API has none."
    )


class UserExternalApiToken(AxionGen):
    __tablename__ = "user_external_api_tokens"
    __table_args__ = (
        UniqueConstraint("owner_subject", "external_api_id"),
        CheckConstraint(ENCRYPTED_SIZES, name="encrypted_sizes"),
        Index("ix_user_external_api_tokens_external_api_id", "external_api_id"),
        Index("ix_user_external_api_tokens_key_version", "key_version"),
        {"schema": "public", "comment": "Users' connections to external APIs, with their encrypted refresh tokens."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the connection (UUIDv7).")
    owner_subject: Mapped[OwnerSubject]
    external_api_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.external_apis.id", ondelete="CASCADE"), comment="API the token is for."
    )
    encrypted_token: Mapped[bytes] = mapped_column(comment="AES-256-GCM ciphertext of the refresh token's UTF-8 bytes.")
    nonce: Mapped[bytes] = mapped_column(comment=_NONCE)
    tag: Mapped[bytes] = mapped_column(comment=_TAG)
    key_version: Mapped[int] = mapped_column(comment="Version of the encryption key of the token.")
    scopes: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), comment="Scopes the user has granted."
    )
    expires_at: Mapped[datetime | None] = mapped_column(
        comment="When the refresh token expires (UTC); null if the API does not state it."
    )
    refreshed_at: Mapped[datetime | None] = mapped_column(
        comment="When the refresh token was last used to get an access token (UTC)."
    )
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]


class ExternalApiAuthorization(AxionGen):
    __tablename__ = "external_api_authorizations"
    __table_args__ = (
        UniqueConstraint("state_sha256"),
        UniqueConstraint("owner_subject", "external_api_id"),
        CheckConstraint(ENCRYPTED_SIZES, name="encrypted_sizes"),
        Index("ix_external_api_authorizations_external_api_id", "external_api_id"),
        Index("ix_external_api_authorizations_key_version", "key_version"),
        {
            "schema": "public",
            "comment": "OAuth 2 authorizations in progress, at most one per user and API, each valid "
            "for a few minutes.",
        },
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the authorization (UUIDv7).")
    owner_subject: Mapped[OwnerSubject]
    external_api_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.external_apis.id", ondelete="CASCADE"), comment="API the authorization is for."
    )
    state_sha256: Mapped[bytes] = mapped_column(
        comment="SHA-256 of the `state` parameter of the authorization request."
    )
    encrypted_verifier: Mapped[bytes] = mapped_column(
        comment="AES-256-GCM ciphertext of the PKCE verifier's ASCII bytes."
    )
    nonce: Mapped[bytes] = mapped_column(comment=_NONCE)
    tag: Mapped[bytes] = mapped_column(comment=_TAG)
    key_version: Mapped[int] = mapped_column(comment=_VERSION)
    redirect_url: Mapped[str] = mapped_column(comment="Redirect URI, to which the API sends the user back.")
    expires_at: Mapped[datetime] = mapped_column(comment="When the authorization expires (UTC).")
    created_at: Mapped[CreatedAt]


class ExternalApiAccessToken(AxionGen):
    __tablename__ = "external_api_access_tokens"
    __table_args__ = (
        CheckConstraint(ENCRYPTED_SIZES, name="encrypted_sizes"),
        Index("ix_external_api_access_tokens_key_version", "key_version"),
        {
            "schema": "public",
            "comment": "Encrypted access tokens of users' connections, shared by all processes until they expire.",
        },
    )

    id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.user_external_api_tokens.id", ondelete="CASCADE"),
        primary_key=True,
        comment="Key of the connection that the token belongs to.",
    )
    encrypted_token: Mapped[bytes] = mapped_column(comment="AES-256-GCM ciphertext of the access token's UTF-8 bytes.")
    nonce: Mapped[bytes] = mapped_column(comment=_NONCE)
    tag: Mapped[bytes] = mapped_column(comment=_TAG)
    key_version: Mapped[int] = mapped_column(comment=_VERSION)
    expires_at: Mapped[datetime] = mapped_column(comment="When the access token expires (UTC).")
    created_at: Mapped[CreatedAt]
