"""Two indexes that databases made before 21 November 2026 lack: they were added to revision 2 after it had landed."""

from alembic import op

revision = "0007_indexes_of_nested_pages"
down_revision = "0006_audit_outbox"


def upgrade() -> None:
    for name, table, columns in (
        ("ix_track_logs_organization_id_id", "track_logs", ["organization_id", "id"]),
        ("ix_frame_batches_track_id_id", "frame_batches", ["track_id", "id"]),
    ):
        op.create_index(name, table, columns, schema="road_data", if_not_exists=True)
