"""Sense identity and tenancy: schema `public` of `axion_sense` (reference/axion-sense-data-model.txt)."""

from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    func,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from loaders.tables.audit_outbox import AuditOutboxTable
from loaders.tables.axion_sense.base import AxionSense
from loaders.tables.columns import BigInt, IdentityKey, Json, Uuid7Key
from loaders.tables.idempotency_key import IdempotencyKeyTable
from loaders.tables.openfga_model_version import OpenFgaModelVersionTable
from loaders.tables.words import one_of

USER_KINDS = ("person", "service")


class User(AxionSense):
    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("external_auth_id"),
        Index(
            "ix_users_profile_data",
            "profile_data",
            postgresql_using="gin",
            postgresql_ops={"profile_data": "jsonb_path_ops"},
        ),
        CheckConstraint(one_of("kind", USER_KINDS), name="kind"),
        {
            "schema": "public",
            "comment": "Users of the platform: people, identified by their OIDC subject, and service accounts.",
        },
    )

    id: Mapped[IdentityKey] = mapped_column(comment="Key of the user.")
    external_auth_id: Mapped[str] = mapped_column(comment="Subject (`sub`) of the identity provider's tokens; unique.")
    email: Mapped[str | None] = mapped_column(comment="E-mail address, as the identity provider gave it.")
    display_name: Mapped[str | None] = mapped_column(comment="Name to show to others.")
    is_active: Mapped[bool] = mapped_column(server_default=true(), comment="Whether the user may sign in.")
    profile_data: Mapped[Json] = mapped_column(
        server_default=text("'{}'"), comment="Free-form profile attributes, which can be filtered by path."
    )
    kind: Mapped[str] = mapped_column(
        server_default=text("'person'"), comment="`person`, or `service` for an account that has API keys only."
    )

    memberships: Mapped[list["UserOrg"]] = relationship(back_populates="user", lazy="raise")


class Organization(AxionSense):
    __tablename__ = "organizations"
    __table_args__ = (
        UniqueConstraint("code"),
        {"schema": "public", "comment": "Tenants of the platform: every track, hold and task belongs to one."},
    )

    id: Mapped[IdentityKey] = mapped_column(comment="Key of the organization.")
    name: Mapped[str] = mapped_column(comment="Full name of the organization.")
    code: Mapped[str] = mapped_column(comment="Short code of the organization; unique.")

    members: Mapped[list["UserOrg"]] = relationship(back_populates="organization", lazy="raise")


class Role(AxionSense):
    __tablename__ = "roles"
    __table_args__ = (
        UniqueConstraint("name"),
        Index("ix_roles_inherits_from_id", "inherits_from_id"),
        {"schema": "public", "comment": "Roles a member may hold in an organization."},
    )

    id: Mapped[IdentityKey] = mapped_column(comment="Key of the role.")
    name: Mapped[str] = mapped_column(comment="Name of the role; unique.")
    inherits_from_id: Mapped[BigInt | None] = mapped_column(
        ForeignKey("public.roles.id"), comment="Role whose permissions this one includes."
    )

    inherits_from: Mapped["Role | None"] = relationship(remote_side="Role.id", lazy="raise")


class UserOrg(AxionSense):
    __tablename__ = "user_org"
    __table_args__ = (
        Index("ix_user_org_organization_id", "organization_id"),
        {"schema": "public", "comment": "Membership of a user in an organization."},
    )

    user_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("public.users.id", ondelete="CASCADE"), primary_key=True, comment="The member."
    )
    organization_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("public.organizations.id", ondelete="CASCADE"),
        primary_key=True,
        comment="The organization the user is a member of.",
    )
    expires_at: Mapped[datetime | None] = mapped_column(comment="When the membership ends (UTC); null means never.")

    user: Mapped[User] = relationship(back_populates="memberships", lazy="raise")
    organization: Mapped[Organization] = relationship(back_populates="members", lazy="raise")
    roles: Mapped[list["UserOrgRole"]] = relationship(back_populates="membership", lazy="raise")


class UserOrgRole(AxionSense):
    __tablename__ = "user_org_role"
    __table_args__ = (
        ForeignKeyConstraint(
            ["user_id", "organization_id"],
            ["public.user_org.user_id", "public.user_org.organization_id"],
            ondelete="CASCADE",
        ),
        Index("ix_user_org_role_role_id", "role_id"),
        {"schema": "public", "comment": "Roles a member holds in an organization."},
    )

    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, comment="The member who holds the role.")
    organization_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, comment="The organization the role is held in."
    )
    role_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("public.roles.id", ondelete="CASCADE"), primary_key=True, comment="The role held."
    )

    membership: Mapped[UserOrg] = relationship(back_populates="roles", lazy="raise")
    role: Mapped[Role] = relationship(lazy="raise")


class ApiKey(AxionSense):
    __tablename__ = "api_keys"
    __table_args__ = (
        Index("ix_api_keys_user_id", "user_id"),
        CheckConstraint("octet_length(secret_sha256) = 32", name="secret_sha256"),
        CheckConstraint("cardinality(scopes) > 0", name="scopes"),
        CheckConstraint("expires_at BETWEEN created_at AND created_at + interval '366 days'", name="expires_at"),
        {
            "schema": "public",
            "comment": "API keys, which programs send instead of an OIDC token. Only a hash of the secret is stored.",
        },
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the API key (UUIDv7), part of what the program sends.")
    user_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("public.users.id", ondelete="CASCADE"), comment="User or service account it acts as."
    )
    name: Mapped[str] = mapped_column(comment="What the key is for.")
    secret_sha256: Mapped[bytes] = mapped_column(comment="SHA-256 of the secret.")
    scopes: Mapped[list[str]] = mapped_column(
        ARRAY(Text),
        comment="Scopes of the key, such as `gen:read` or `sense:write`; a write scope includes reading.",
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When the key was created (UTC).")
    expires_at: Mapped[datetime] = mapped_column(
        comment="When the key expires (UTC), at most 366 days after its creation."
    )
    revoked_at: Mapped[datetime | None] = mapped_column(comment="When the key was revoked (UTC); null if it was not.")

    user: Mapped[User] = relationship(lazy="raise")


class OpenFgaModelVersion(OpenFgaModelVersionTable, AxionSense):
    """Models uploaded to OpenFGA for this database's rows."""


class IdempotencyKey(IdempotencyKeyTable, AxionSense):
    """Mutations of this database's rows."""


class AuditOutbox(AuditOutboxTable, AxionSense):
    """What was done to this database's rows, and to whom it was denied."""
