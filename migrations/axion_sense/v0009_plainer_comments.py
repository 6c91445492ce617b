"""Comments of tables and columns say in plain words what they hold. Nothing but comments changes."""

from alembic import op

revision = "0009_plainer_comments"
down_revision = "0008_indexes_of_total_orders"

_TABLES = {
    "public.api_keys": "API keys, which programs send instead of an OIDC token. Only a hash of the secret is stored.",
    "public.audit_outbox": (
        "Outbox of audit entries: written in the transaction that they describe, then moved to ClickHouse."
    ),
    "public.idempotency_keys": "Mutations sent with an `Idempotency-Key`, recorded in the transaction of their change.",
    "public.users": "Users of the platform: people, identified by their OIDC subject, and service accounts.",
    "road_data.track_logs": (
        "Life cycle of recorded tracks. Their telemetry is in ClickHouse, their raw logs are in S3."
    ),
}
_COLUMNS = {
    "public.api_keys": {
        "scopes": "Scopes of the key, such as `gen:read` or `sense:write`; a write scope includes reading.",
        "created_at": "When the key was created (UTC).",
        "expires_at": "When the key expires (UTC), at most 366 days after its creation.",
        "revoked_at": "When the key was revoked (UTC); null if it was not.",
    },
    "public.audit_outbox": {
        "organization_id": "Organization that the action belongs to; 0 for the platform itself.",
        "created_at": "When the action happened (UTC).",
        "actor": "Who acted, as an OpenFGA subject; empty for the worker and for anonymous callers.",
        "action": "Name of the action, such as `denied` or `api_key.created`.",
        "resource": "Target of the action: an OpenFGA object, or a field of the API.",
        "request_id": "Id of the request; empty if the worker acted.",
        "context": "Further details of the action, as an object.",
    },
    "public.idempotency_keys": {
        "response_key": "Alias or name of the mutation in its document, which can contain it several times.",
        "row_key": "Primary key of the row that the mutation was about, one text per column; empty if none.",
    },
    "public.user_org": {
        "expires_at": "When the membership ends (UTC); null means never.",
    },
    "public.users": {
        "profile_data": "Free-form profile attributes, which can be filtered by path.",
    },
    "road_data.frame_batches": {
        "status": "State of the batch: `pending` or `committed`.",
    },
    "road_data.holds": {
        "location": "Position of the hold: longitude and latitude in degrees (WGS 84), altitude in metres.",
        "message": "Message about the place.",
    },
    "road_data.track_logs": {
        "s3_log_key": "S3 object key of the raw log (`log/{id}`); null until it is uploaded.",
    },
}
"""By table (`schema.name`), then by column."""


def upgrade() -> None:
    for table, comment in _TABLES.items():
        schema, name = table.split(".")
        op.create_table_comment(name, comment, schema=schema)
    for table, comments in _COLUMNS.items():
        schema, name = table.split(".")
        for column, comment in comments.items():
            op.alter_column(name, column, comment=comment, schema=schema)
