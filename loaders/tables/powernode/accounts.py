"""Powernode tenancy: accounts and their users (reference/powernode-schema-reference.txt, "Database Conventions")."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from loaders.tables.columns import Uuid7Key
from loaders.tables.powernode.base import Powernode


class Account(Powernode):
    __tablename__ = "accounts"
    __table_args__ = ({"schema": "public", "comment": "Tenants of Powernode, one per organisation."},)

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the account (UUIDv7).")
    name: Mapped[str] = mapped_column(comment="Name of the organisation.")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When the account was made (UTC).")
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), onupdate=func.now(), comment="When the account was last changed (UTC)."
    )
    discarded_at: Mapped[datetime | None] = mapped_column(
        comment="When the account was discarded (UTC); null if in use."
    )

    users: Mapped[list["User"]] = relationship(back_populates="account", lazy="raise")


class User(Powernode):
    __tablename__ = "users"
    __table_args__ = (
        Index("ix_users_account_id", "account_id"),
        {"schema": "public", "comment": "Users of an account."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the user (UUIDv7).")
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("public.accounts.id"), comment="Account of the user.")
    name: Mapped[str] = mapped_column(comment="Name to show.")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When the user was made (UTC).")
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), onupdate=func.now(), comment="When the user was last changed (UTC)."
    )
    discarded_at: Mapped[datetime | None] = mapped_column(comment="When the user was discarded (UTC); null if in use.")

    account: Mapped[Account] = relationship(back_populates="users", lazy="raise")
