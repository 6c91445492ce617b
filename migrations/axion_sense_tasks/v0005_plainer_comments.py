"""Comments of tables and columns say in plain words what they hold. Nothing but comments changes."""

from alembic import op

revision = "0005_plainer_comments"
down_revision = "0004_finished_jobs"

_TABLES = {
    "idempotency_keys": "Mutations sent with an `Idempotency-Key`, recorded in the transaction of their change.",
    "job_events": "Events of jobs, numbered per job, so that subscriptions can resume after any of them.",
    "jobs": "Background jobs, one row each, from request to final state.",
}
_COLUMNS = {
    "idempotency_keys": {
        "response_key": "Alias or name of the mutation in its document, which can contain it several times.",
        "row_key": "Primary key of the row that the mutation was about, one text per column; empty if none.",
    },
    "job_events": {
        "job_id": "Job that the event belongs to.",
        "sequence": "Sequence number of the event within its job, from 1 without gaps.",
        "kind": "Kind of event, such as `state` or `progress`.",
        "payload": "What changed, as an object.",
        "created_at": "When the event happened (UTC).",
    },
    "jobs": {
        "state": (
            "State of the job: `queued`, `running`, `succeeded`, `failed` or `cancelled`; the last three are final."
        ),
        "subject": "Subject (`sub`) of the user who started the job.",
        "arguments": "Arguments that the job was started with.",
        "result": "Result of the job; null unless it succeeded.",
        "message": "Progress message, for people to read.",
        "procrastinate_job_id": "Id of the job in procrastinate's queue; null until it is queued there.",
        "created_at": "When the job was requested (UTC).",
        "heartbeat_at": "When the worker last reported that it is working on the job (UTC).",
    },
}
"""By table, then by column."""


def upgrade() -> None:
    for table, comment in _TABLES.items():
        op.create_table_comment(table, comment, schema="public")
    for table, comments in _COLUMNS.items():
        for column, comment in comments.items():
            op.alter_column(table, column, comment=comment, schema="public")
