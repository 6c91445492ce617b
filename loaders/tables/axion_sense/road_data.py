"""Sense drives and holds: schema `road_data` of `axion_sense`; the first two are partitioned by month of `created_at`.

A foreign key cannot point to a partitioned table without its partition column, so `frame_batches.track_id` has none:
the relationship is declared here and the rows' writer keeps it.
"""

import uuid
from datetime import datetime

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import CheckConstraint, ForeignKey, Index, func
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column, relationship

from loaders.tables.axion_sense.base import AxionSense
from loaders.tables.axion_sense.public import Organization, User
from loaders.tables.columns import BigInt, IdentityKey, Uuid7Key
from loaders.tables.words import one_of

BATCH_STATES = ("pending", "committed")


class TrackLog(AxionSense):
    __tablename__ = "track_logs"
    __table_args__ = (
        Index("ix_track_logs_organization_id_created_at", "organization_id", "created_at"),
        # the top of each organization, in the order of pages
        Index("ix_track_logs_organization_id_id_created_at", "organization_id", "id", "created_at"),
        Index("ix_track_logs_user_id", "user_id"),
        {
            "schema": "road_data",
            "postgresql_partition_by": "RANGE (created_at)",
            "comment": "Life cycle of recorded tracks. Their telemetry is in ClickHouse, their raw logs are in S3.",
        },
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the track (UUIDv7), the same as in ClickHouse.")
    organization_id: Mapped[BigInt] = mapped_column(
        ForeignKey("public.organizations.id"), comment="Organization the track belongs to."
    )
    user_id: Mapped[BigInt] = mapped_column(ForeignKey("public.users.id"), comment="User who drove.")
    created_at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), primary_key=True, server_default=func.now(), comment="When the row was made (UTC)."
    )
    s3_log_key: Mapped[str | None] = mapped_column(
        comment="S3 object key of the raw log (`log/{id}`); null until it is uploaded."
    )

    organization: Mapped[Organization] = relationship(lazy="raise")
    user: Mapped[User] = relationship(lazy="raise")
    frame_batches: Mapped[list["FrameBatch"]] = relationship(
        primaryjoin="TrackLog.id == foreign(FrameBatch.track_id)", back_populates="track", lazy="raise", viewonly=True
    )


class FrameBatch(AxionSense):
    __tablename__ = "frame_batches"
    __table_args__ = (
        CheckConstraint(one_of("status", BATCH_STATES), name="status"),
        CheckConstraint("(status = 'committed') = (commit_time IS NOT NULL)", name="commit_time"),
        Index("ix_frame_batches_track_id_id_created_at", "track_id", "id", "created_at"),
        {
            "schema": "road_data",
            "postgresql_partition_by": "RANGE (created_at)",
            "comment": "Batches of frames a device uploaded for a track, pending until all of their bytes are in S3.",
        },
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the batch (UUIDv7).")
    track_id: Mapped[uuid.UUID] = mapped_column(comment="Track the frames belong to.")
    status: Mapped[str] = mapped_column(
        server_default="pending", comment="State of the batch: `pending` or `committed`."
    )
    commit_time: Mapped[datetime | None] = mapped_column(comment="When the batch was committed (UTC).")
    created_at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), primary_key=True, server_default=func.now(), comment="When the row was made (UTC)."
    )

    track: Mapped[TrackLog | None] = relationship(
        primaryjoin="TrackLog.id == foreign(FrameBatch.track_id)",
        back_populates="frame_batches",
        lazy="raise",
        viewonly=True,
    )


class Hold(AxionSense):
    __tablename__ = "holds"
    __table_args__ = (
        Index("ix_holds_location", "location", postgresql_using="gist"),
        Index("ix_holds_organization_id_created_at", "organization_id", "created_at"),
        {"schema": "road_data", "comment": "Pins an organization puts on the map to mark a place with a message."},
    )

    id: Mapped[IdentityKey] = mapped_column(comment="Key of the hold.")
    organization_id: Mapped[BigInt] = mapped_column(
        ForeignKey("public.organizations.id"), comment="Organization that owns the hold."
    )
    location: Mapped[WKBElement] = mapped_column(
        Geometry("POINTZ", srid=4326, dimension=3, spatial_index=False),
        comment="Position of the hold: longitude and latitude in degrees (WGS 84), altitude in metres.",
    )
    message: Mapped[str] = mapped_column(comment="Message about the place.")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When the hold was made (UTC).")

    organization: Mapped[Organization] = relationship(lazy="raise")
