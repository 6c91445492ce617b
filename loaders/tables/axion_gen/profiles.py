"""Profiles of remote tables: the newest one, and all there were."""

import uuid
from datetime import datetime

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from loaders.tables.axion_gen.base import AxionGen
from loaders.tables.columns import BigInt, Json, Uuid7Key
from loaders.tables.words import one_of

BASES = ("metadata", "table", "partition", "sample")


class _Found:
    """What a refresh found. The columns are in the order in which the tables were given them."""

    version: Mapped[int] = mapped_column(
        sort_order=20, server_default="1", comment="Number of the refresh of this table, from 1."
    )
    columns: Mapped[Json] = mapped_column(
        sort_order=10, comment="Columns of the table, in order: name, type, nullability."
    )
    row_count: Mapped[BigInt | None] = mapped_column(
        sort_order=11, comment="Number of rows in the table; null if unknown."
    )
    byte_count: Mapped[BigInt | None] = mapped_column(
        sort_order=21, comment="Stored size in bytes according to the engine's metadata; null if unknown."
    )
    basis: Mapped[str] = mapped_column(
        sort_order=22,
        server_default="table",
        comment="Rows that the statistics were computed from: `table` all, `partition` those that match the condition, "
        "`sample` some of them, `metadata` none.",
    )
    profiled_rows: Mapped[BigInt] = mapped_column(
        sort_order=23, server_default="0", comment="Number of rows that the statistics were computed from."
    )
    estimated_bytes: Mapped[BigInt | None] = mapped_column(
        sort_order=24,
        comment="Bytes that the read was estimated to scan, before it ran; null if the engine gives no estimate.",
    )
    excluded_columns: Mapped[list[str]] = mapped_column(
        ARRAY(Text), sort_order=25, server_default=text("'{}'"), comment="Columns that the refresh did not read."
    )
    drift: Mapped[Json] = mapped_column(
        sort_order=26,
        server_default=text("'{}'"),
        comment="Columns added, removed and retyped since the previous version.",
    )
    statistics: Mapped[Json] = mapped_column(
        sort_order=12,
        server_default=text("'{}'"),
        comment="Statistics by column name, such as distinct values, minimum and maximum.",
    )
    refreshed_at: Mapped[datetime] = mapped_column(sort_order=14, comment="When the table was profiled (UTC).")


class TableProfile(_Found, AxionGen):
    __tablename__ = "table_profile_cache"
    __table_args__ = (
        UniqueConstraint("dataset_id", "table_name"),
        CheckConstraint("row_count >= 0", name="row_count"),
        CheckConstraint(one_of("basis", BASES), name="basis"),
        {"schema": "public", "comment": "Columns, statistics and sample values of remote tables, as last refreshed."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the profile (UUIDv7).")
    dataset_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.datasets.id", ondelete="CASCADE"), comment="Dataset of the profiled table."
    )
    table_name: Mapped[str] = mapped_column(comment="Name of the profiled table.")
    sample_values: Mapped[Json] = mapped_column(
        sort_order=13, server_default=text("'{}'"), comment="A few values by column name."
    )


class TableProfileVersion(_Found, AxionGen):
    __tablename__ = "table_profile_versions"
    __table_args__ = (
        UniqueConstraint("profile_id", "version"),
        UniqueConstraint("job_id"),
        Index("ix_table_profile_versions_dataset_id", "dataset_id"),
        CheckConstraint("row_count >= 0", name="row_count"),
        CheckConstraint(one_of("basis", BASES), name="basis"),
        {
            "schema": "public",
            "comment": "Every version of the tables' profiles, without sample values. Rows are never changed.",
        },
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the version (UUIDv7).")
    profile_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.table_profile_cache.id", ondelete="CASCADE"), comment="Profile that this is a version of."
    )
    dataset_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.datasets.id", ondelete="CASCADE"), comment="Dataset of the profiled table."
    )
    table_name: Mapped[str] = mapped_column(comment="Name of the profiled table.")
    job_id: Mapped[uuid.UUID] = mapped_column(
        comment="Job that computed the version. A job that runs again writes no second version."
    )
