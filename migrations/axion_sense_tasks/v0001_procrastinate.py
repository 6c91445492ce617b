"""The job queue's own tables and functions, in a schema of their own.

`procrastinate_3_10.sql` is `procrastinate/sql/schema.sql` of release 3.10.0, kept here so that this revision means the
same whatever release is installed; a newer release's migrations become a later revision.
"""

from pathlib import Path

from alembic import op

revision = "0001_procrastinate"
down_revision = None

SCHEMA_SQL = Path(__file__).with_name("procrastinate_3_10.sql")


def upgrade() -> None:
    connection = op.get_bind().execution_options(no_parameters=True)  # the file's `%` are not placeholders
    connection.exec_driver_sql("SET LOCAL search_path = procrastinate")
    connection.exec_driver_sql(SCHEMA_SQL.read_text(encoding="utf-8"))
    connection.exec_driver_sql("SET LOCAL search_path TO DEFAULT")
