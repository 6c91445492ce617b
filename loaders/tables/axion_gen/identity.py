"""Gen identity and roles, and which authorization model is active (reference/axion-gen-data-model.txt)."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, false, func, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from loaders.tables.audit_outbox import AuditOutboxTable
from loaders.tables.axion_gen.base import AxionGen
from loaders.tables.columns import BigInt, IdentityKey
from loaders.tables.idempotency_key import IdempotencyKeyTable
from loaders.tables.openfga_model_version import OpenFgaModelVersionTable

ADMIN_ROLE_ID = 1
ANALYST_ROLE_ID = 2


class User(AxionGen):
    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("external_auth_id"),
        {"schema": "public", "comment": "People who use Gen, one row per OIDC subject."},
    )

    id: Mapped[IdentityKey] = mapped_column(comment="Key of the user.")
    external_auth_id: Mapped[str] = mapped_column(comment="Subject (`sub`) of the identity provider's tokens; unique.")
    email: Mapped[str | None] = mapped_column(comment="E-mail address, as the identity provider gave it.")
    display_name: Mapped[str | None] = mapped_column(comment="Name to show to others.")
    is_active: Mapped[bool] = mapped_column(
        server_default=true(),
        comment="Whether the user counts as a holder of roles. `users` of `axion_sense` decides who can sign in.",
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When the user was added (UTC).")
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), onupdate=func.now(), comment="When the user was last changed (UTC)."
    )

    user_roles: Mapped[list["UserRole"]] = relationship(back_populates="user", lazy="raise")


class Role(AxionGen):
    __tablename__ = "roles"
    __table_args__ = (
        UniqueConstraint("name"),
        Index("ix_roles_parent_role_id", "parent_role_id"),
        {"schema": "public", "comment": "Roles of Gen: the built-in Admin (1) and Analyst (2), and custom ones."},
    )

    id: Mapped[IdentityKey] = mapped_column(comment="Key of the role; 1 is Admin, 2 is Analyst.")
    name: Mapped[str] = mapped_column(comment="Name of the role; unique.")
    description: Mapped[str | None] = mapped_column(comment="What the role is for.")
    parent_role_id: Mapped[BigInt | None] = mapped_column(
        ForeignKey("public.roles.id"), comment="Role whose permissions this one inherits."
    )
    is_built_in: Mapped[bool] = mapped_column(
        server_default=false(), comment="Whether the platform made the role; such a role cannot be removed."
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When the role was made (UTC).")
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), onupdate=func.now(), comment="When the role was last changed (UTC)."
    )
    has_admin_datasource: Mapped[bool] = mapped_column(
        server_default=false(), comment="Whether its holders administer the data sources it is assigned to."
    )
    has_view_dataset: Mapped[bool] = mapped_column(
        server_default=false(), comment="Whether its holders see the datasets it is assigned to."
    )
    has_view_table: Mapped[bool] = mapped_column(
        server_default=false(), comment="Whether its holders see the tables it is assigned to, and their rows."
    )
    has_query_dataset: Mapped[bool] = mapped_column(
        server_default=false(),
        comment="Whether its holders may run their own read-only SQL on the datasets it is assigned to.",
    )

    parent: Mapped["Role | None"] = relationship(remote_side="Role.id", lazy="raise")


class UserRole(AxionGen):
    __tablename__ = "user_roles"
    __table_args__ = (
        Index("ix_user_roles_role_id", "role_id"),
        {"schema": "public", "comment": "Roles a user holds."},
    )

    user_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("public.users.id", ondelete="CASCADE"),
        primary_key=True,
        comment="User who holds the role.",
    )
    role_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("public.roles.id", ondelete="CASCADE"), primary_key=True, comment="The role held."
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When the role was given (UTC).")

    user: Mapped[User] = relationship(back_populates="user_roles", lazy="raise")
    role: Mapped[Role] = relationship(lazy="raise")


class OpenFgaModelVersion(OpenFgaModelVersionTable, AxionGen):
    """Models uploaded to OpenFGA for this database's rows."""


class IdempotencyKey(IdempotencyKeyTable, AxionGen):
    """Mutations of this database's rows, done under an `Idempotency-Key`."""


class AuditOutbox(AuditOutboxTable, AxionGen):
    """What was done to this database's rows."""
