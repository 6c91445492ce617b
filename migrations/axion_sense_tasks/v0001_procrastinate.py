"""The job queue's own tables and functions, in a schema of their own.

`procrastinate_3_10.sql` is `procrastinate/sql/schema.sql` of release 3.10.0, kept here so that this revision means the
same whatever release is installed; a newer release's migrations become a later revision.
"""

from pathlib import Path

from alembic import op

from migrations.operations import Grant

revision = "0001_procrastinate"
down_revision = None

SCHEMA_SQL = Path(__file__).with_name("procrastinate_3_10.sql")

# Deferring inserts with the caller's privileges, and so do the triggers that log events. Cancelling is the worker's.
APP_GRANTS = (
    Grant("SELECT, INSERT", on="procrastinate.procrastinate_jobs", to="app"),
    Grant("INSERT", on="procrastinate.procrastinate_events", to="app"),
    Grant("USAGE", on="SEQUENCE procrastinate.procrastinate_jobs_id_seq", to="app"),
    Grant("USAGE", on="SEQUENCE procrastinate.procrastinate_events_id_seq", to="app"),
)


def upgrade() -> None:
    connection = op.get_bind().execution_options(no_parameters=True)  # the file's `%` are not placeholders
    connection.exec_driver_sql("SET LOCAL search_path = procrastinate")
    connection.exec_driver_sql(SCHEMA_SQL.read_text(encoding="utf-8"))
    connection.exec_driver_sql("SET LOCAL search_path TO DEFAULT")
    for grant in APP_GRANTS:
        op.invoke(grant)
