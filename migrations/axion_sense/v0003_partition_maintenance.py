"""Lets the worker keep partitions without letting it change tables.

`partman.run_maintenance_proc()` needs the owner of the tables and commits by itself, which a function that lends its
owner's rights may not. The worker calls `SELECT road_data.run_partition_maintenance()`: the same work in one
transaction, with the migrate role's rights, and nothing else. The app role may not call it.
"""

from alembic import op

revision = "0003_partition_maintenance"
down_revision = "0002_road_data"

CREATE_FUNCTION = """
CREATE FUNCTION road_data.run_partition_maintenance() RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$ SELECT partman.run_maintenance(p_jobmon => false) $$
"""


def upgrade() -> None:
    op.execute(CREATE_FUNCTION)
    op.execute(
        "COMMENT ON FUNCTION road_data.run_partition_maintenance() IS"
        " 'Makes the next monthly partitions and drops those past their retention.'"
    )
    op.execute("REVOKE ALL ON FUNCTION road_data.run_partition_maintenance() FROM PUBLIC")
