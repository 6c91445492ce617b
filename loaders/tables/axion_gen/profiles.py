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
        sort_order=11, comment="Number of rows; null if the source does not know."
    )
    byte_count: Mapped[BigInt | None] = mapped_column(
        sort_order=21, comment="Stored size in bytes by the engine's metadata; null if they are silent."
    )
    basis: Mapped[str] = mapped_column(
        sort_order=22,
        server_default="table",
        comment="What the figures are of: `table` all rows, `partition` the rows that match the condition, `sample` "
        "some of them, `metadata` none.",
    )
    profiled_rows: Mapped[BigInt] = mapped_column(
        sort_order=23, server_default="0", comment="Number of rows the figures were computed from."
    )
    estimated_bytes: Mapped[BigInt | None] = mapped_column(
        sort_order=24, comment="Bytes that reading was estimated at before it was done; null if the engine cannot tell."
    )
    excluded_columns: Mapped[list[str]] = mapped_column(
        ARRAY(Text), sort_order=25, server_default=text("'{}'"), comment="Columns that were not read."
    )
    drift: Mapped[Json] = mapped_column(
        sort_order=26,
        server_default=text("'{}'"),
        comment="Columns added, removed and retyped since the version before.",
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
        {"schema": "public", "comment": "Every refresh of a table's profile, without sample values; none is changed."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the version (UUIDv7).")
    profile_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.table_profile_cache.id", ondelete="CASCADE"), comment="Profile it is a version of."
    )
    dataset_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.datasets.id", ondelete="CASCADE"), comment="Dataset of the profiled table."
    )
    table_name: Mapped[str] = mapped_column(comment="Name of the profiled table.")
    job_id: Mapped[uuid.UUID] = mapped_column(comment="Job that found it: a repeated one writes no second version.")
