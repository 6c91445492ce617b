"""Gen favourites: the dashboards, datasets and remote tables a user wants at hand."""

import uuid

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from loaders.tables.axion_gen.base import AxionGen, OwnerSubject
from loaders.tables.columns import CreatedAt, Uuid7Key


class FavoriteDashboard(AxionGen):
    __tablename__ = "user_favorite_dashboards"
    __table_args__ = (
        UniqueConstraint("owner_subject", "dashboard_id"),
        Index("ix_user_favorite_dashboards_dashboard_id", "dashboard_id"),
        {"schema": "public", "comment": "Users' favorite dashboards."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the favorite (UUIDv7).")
    owner_subject: Mapped[OwnerSubject]
    dashboard_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.dashboards.id", ondelete="CASCADE"), comment="The favorite dashboard."
    )
    created_at: Mapped[CreatedAt]


class FavoriteDataset(AxionGen):
    __tablename__ = "user_favorite_datasets"
    __table_args__ = (
        UniqueConstraint("owner_subject", "dataset_id"),
        Index("ix_user_favorite_datasets_dataset_id", "dataset_id"),
        {"schema": "public", "comment": "Users' favorite datasets."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the favorite (UUIDv7).")
    owner_subject: Mapped[OwnerSubject]
    dataset_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.datasets.id", ondelete="CASCADE"), comment="The favorite dataset."
    )
    created_at: Mapped[CreatedAt]


class FavoriteTable(AxionGen):
    __tablename__ = "user_favorite_tables"
    __table_args__ = (
        UniqueConstraint("owner_subject", "dataset_id", "table_name"),
        Index("ix_user_favorite_tables_dataset_id", "dataset_id"),
        {"schema": "public", "comment": "Users' favorite remote tables."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the favorite (UUIDv7).")
    owner_subject: Mapped[OwnerSubject]
    dataset_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.datasets.id", ondelete="CASCADE"), comment="Dataset of the favorite table."
    )
    table_name: Mapped[str] = mapped_column(comment="Name of the favorite table.")
    created_at: Mapped[CreatedAt]
