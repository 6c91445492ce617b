"""Track logs and frame batches, partitioned by month, and holds."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import TIMESTAMP, UUID

from migrations.operations import CreateRangePartitionedTable, ManagePartitions

revision = "0002_road_data"
down_revision = "0001_tenancy"


def upgrade() -> None:
    op.invoke(
        CreateRangePartitionedTable(
            "track_logs",
            sa.Column("id", UUID(), nullable=False, comment="Key of the track (UUIDv7), the same as in ClickHouse."),
            sa.Column("organization_id", sa.BigInteger(), nullable=False, comment="Organization the track belongs to."),
            sa.Column("user_id", sa.BigInteger(), nullable=False, comment="User who drove."),
            sa.Column(
                "created_at",
                TIMESTAMP(timezone=True),
                server_default=sa.func.now(),
                nullable=False,
                comment="When the row was made (UTC).",
            ),
            sa.Column("s3_log_key", sa.Text(), comment="S3 object key of the raw log (`log/{id}`), once uploaded."),
            sa.ForeignKeyConstraint(
                ["organization_id"], ["public.organizations.id"], name="fk_track_logs_organization_id"
            ),
            sa.ForeignKeyConstraint(["user_id"], ["public.users.id"], name="fk_track_logs_user_id"),
            sa.PrimaryKeyConstraint("id", "created_at", name="pk_track_logs"),
            schema="road_data",
            comment="Recorded drives: the life-cycle row of a track, whose points are in ClickHouse and log in S3.",
            by="created_at",
        )
    )
    op.create_index(
        "ix_track_logs_organization_id_created_at", "track_logs", ["organization_id", "created_at"], schema="road_data"
    )
    op.create_index("ix_track_logs_organization_id_id", "track_logs", ["organization_id", "id"], schema="road_data")
    op.create_index("ix_track_logs_user_id", "track_logs", ["user_id"], schema="road_data")

    op.invoke(
        CreateRangePartitionedTable(
            "frame_batches",
            sa.Column("id", UUID(), nullable=False, comment="Key of the batch (UUIDv7)."),
            sa.Column("track_id", UUID(), nullable=False, comment="Track the frames belong to."),
            sa.Column(
                "status", sa.Text(), server_default="pending", nullable=False, comment="`pending` or `committed`."
            ),
            sa.Column("commit_time", TIMESTAMP(timezone=True), comment="When the batch was committed (UTC)."),
            sa.Column(
                "created_at",
                TIMESTAMP(timezone=True),
                server_default=sa.func.now(),
                nullable=False,
                comment="When the row was made (UTC).",
            ),
            sa.CheckConstraint(
                "(status = 'committed') = (commit_time IS NOT NULL)", name="ck_frame_batches_commit_time"
            ),
            sa.CheckConstraint("status IN ('pending', 'committed')", name="ck_frame_batches_status"),
            sa.PrimaryKeyConstraint("id", "created_at", name="pk_frame_batches"),
            schema="road_data",
            comment="Batches of frames a device uploaded for a track, pending until all of their bytes are in S3.",
            by="created_at",
        )
    )
    op.create_index("ix_frame_batches_track_id_id", "frame_batches", ["track_id", "id"], schema="road_data")

    op.create_table(
        "holds",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False, comment="Key of the hold."),
        sa.Column("organization_id", sa.BigInteger(), nullable=False, comment="Organization that owns the hold."),
        sa.Column(
            "location",
            Geometry("POINTZ", srid=4326, dimension=3, spatial_index=False),
            nullable=False,
            comment="Where: longitude and latitude in degrees (WGS 84), altitude in metres.",
        ),
        sa.Column("message", sa.Text(), nullable=False, comment="What there is to know about the place."),
        sa.Column(
            "created_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When the hold was made (UTC).",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["public.organizations.id"], name="fk_holds_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_holds"),
        schema="road_data",
        comment="Pins an organization puts on the map to mark a place with a message.",
    )
    op.create_index("ix_holds_location", "holds", ["location"], schema="road_data", postgresql_using="gist")
    op.create_index(
        "ix_holds_organization_id_created_at", "holds", ["organization_id", "created_at"], schema="road_data"
    )
    op.invoke(ManagePartitions("road_data.track_logs", by="created_at"))
    op.invoke(ManagePartitions("road_data.frame_batches", by="created_at"))
