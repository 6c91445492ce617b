"""Sense identity and tenancy: schema `public` of `axion_sense` (reference/axion-sense-data-model.txt)."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from loaders.tables.axion_sense.base import AxionSense
from loaders.tables.columns import BigInt, IdentityKey, Json
from loaders.tables.idempotency_key import IdempotencyKeyTable
from loaders.tables.openfga_model_version import OpenFgaModelVersionTable


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
        {"schema": "public", "comment": "People who sign in to the platform, one row per OIDC subject."},
    )

    id: Mapped[IdentityKey] = mapped_column(comment="Key of the user.")
    external_auth_id: Mapped[str] = mapped_column(comment="Subject (`sub`) of the identity provider's tokens; unique.")
    email: Mapped[str | None] = mapped_column(comment="E-mail address, as the identity provider gave it.")
    display_name: Mapped[str | None] = mapped_column(comment="Name to show to others.")
    is_active: Mapped[bool] = mapped_column(server_default=true(), comment="Whether the user may sign in.")
    profile_data: Mapped[Json] = mapped_column(
        server_default=text("'{}'"), comment="Free profile attributes, filterable by path."
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
    expires_at: Mapped[datetime | None] = mapped_column(comment="When the membership ends (UTC); null never ends.")

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


class OpenFgaModelVersion(OpenFgaModelVersionTable, AxionSense):
    """Models uploaded to OpenFGA for this database's rows."""


class IdempotencyKey(IdempotencyKeyTable, AxionSense):
    """Mutations of this database's rows."""
