"""The indexes of nested pages with all that their rows are ordered by.

The ids of partitioned tables are not unique to Postgres, so ties of a page are broken by the partition's column too.
"""

from alembic import op

revision = "0008_indexes_of_total_orders"
down_revision = "0007_indexes_of_nested_pages"


def upgrade() -> None:
    for table, columns in (("track_logs", ["organization_id", "id"]), ("frame_batches", ["track_id", "id"])):
        name = f"ix_{table}_{'_'.join(columns)}"
        op.create_index(f"{name}_created_at", table, [*columns, "created_at"], schema="road_data")
        op.drop_index(name, table, schema="road_data")
