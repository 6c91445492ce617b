"""Comments of tables and columns say in plain words what they hold. Nothing but comments changes."""

from alembic import op

revision = "0022_plainer_comments"
down_revision = "0021_replaced_tokens"

_TABLES = {
    "agent_artifact_versions": "Versions of the artifacts that agents made for users: each change adds a row.",
    "agent_audit_entries": "Audit log of agents' actions. Rows are only added: a trigger rejects updates and deletes.",
    "agent_discovery_checkpoints": "How far agents have explored datasets, so that they can resume there.",
    "audit_outbox": "Outbox of audit entries: written in the transaction that they describe, then moved to ClickHouse.",
    "curation_overrides": (
        "Overrides of how remote tables and columns are shown: name, description, format, visibility."
    ),
    "dashboard_filters": "Filters that readers of a dashboard can set, and the widgets they apply to.",
    "dashboard_widgets": "Widgets of dashboards: a query of a remote table, with its chart and position.",
    "dataset_semantic_metrics": "Versions of the semantic metrics of datasets: each change adds a row.",
    "dkb_article_versions": "Versions of the articles in datasets' knowledge bases: each edit adds a row.",
    "external_api_access_tokens": (
        "Encrypted access tokens of users' connections, shared by all processes until they expire."
    ),
    "external_api_authorizations": (
        "OAuth 2 authorizations in progress, at most one per user and API, each valid for a few minutes."
    ),
    "external_api_revocation_tokens": (
        "Encrypted refresh tokens to be revoked. A row is deleted once its token is revoked."
    ),
    "external_api_revocations": (
        "Token revocations to send to external APIs, each with the API's settings when the connections ended."
    ),
    "external_apis": "External APIs that users connect to with OAuth 2.",
    "idempotency_keys": "Mutations sent with an `Idempotency-Key`, recorded in the transaction of their change.",
    "openfga_outbox": (
        "Outbox of permission tuples: written in the transaction of the rows they follow from, then sent to OpenFGA."
    ),
    "role_assignments": (
        "Resources that roles are assigned to. A role's flags apply to the resource and to everything below it."
    ),
    "table_filters": "Optional and required filters of remote tables.",
    "table_profile_schedules": "Schedules by which remote tables are profiled, at most one per table.",
    "table_profile_versions": "Every version of the tables' profiles, without sample values. Rows are never changed.",
    "tooltip_templates": "Templates of the tooltips for rows of remote tables on maps and charts.",
    "user_external_api_tokens": "Users' connections to external APIs, with their encrypted refresh tokens.",
    "user_favorite_dashboards": "Users' favorite dashboards.",
    "user_favorite_datasets": "Users' favorite datasets.",
    "user_favorite_tables": "Users' favorite remote tables.",
}
_COLUMNS = {
    "agent_artifact_versions": {
        "owner_subject": "Subject (`sub`) of the user who created it, its owner.",
        "artifact_id": "Id of the artifact, the same in all its versions.",
        "kind": "Kind of the artifact: `chart`, `table`, `query`, `dashboard`, `document`.",
        "title": "What the artifact shows.",
        "content": "Content of the artifact. Its format depends on the kind and is up to the client.",
    },
    "agent_audit_entries": {
        "occurred_at": "When the agent acted (UTC).",
        "subject": "Subject (`sub`) of the user for whom the agent acted.",
        "agent": "Name of the agent that acted.",
        "action": "Name of the action, such as `query_table`.",
        "outcome": "Outcome of the action: `succeeded`, `failed`, `refused`.",
        "chat_session_id": "Key of the conversation in which the agent acted, which may have been deleted since.",
        "dataset_id": "Key of the dataset that the action was about, which may have been deleted since.",
        "table_name": "Table that the action was about.",
        "details": "Further details of the action.",
    },
    "agent_discovery_checkpoints": {
        "table_name": "Table that is explored; null means the whole dataset.",
        "status": "State of the exploration: `pending`, `running`, `done`, `failed`.",
        "stage": "Step that the agent was about to take.",
        "state": "Data that the agent saved in order to resume.",
    },
    "audit_outbox": {
        "organization_id": "Organization that the action belongs to; 0 for the platform itself.",
        "created_at": "When the action happened (UTC).",
        "actor": "Who acted, as an OpenFGA subject; empty for the worker and for anonymous callers.",
        "action": "Name of the action, such as `denied` or `api_key.created`.",
        "resource": "Target of the action: an OpenFGA object, or a field of the API.",
        "request_id": "Id of the request; empty if the worker acted.",
        "context": "Further details of the action, as an object.",
    },
    "chat_sessions": {
        "owner_subject": "Subject (`sub`) of the user who created it, its owner.",
        "title": "What the conversation is about.",
        "dashboard_id": "Dashboard it was started on.",
        "messages": "Messages, oldest first: objects with `role`, `content`, `at` and `toolCalls`.",
        "archived_at": "When the conversation was archived (UTC); null while it is open.",
    },
    "curation_overrides": {
        "display_name": "Name to show; null means the engine's name.",
        "description": "Description of the table or column; null means the engine's comment.",
        "is_hidden": "Whether the table or column is hidden from everyone, in lists and in queries.",
        "format": "Display format of the values, such as `0.0` or `YYYY-MM-DD`.",
        "semantic_type": "Semantic type of the values, such as `airport`, `currency` or `latitude`.",
        "position": "Sort position among the dataset's tables or the table's columns; null means the engine's order.",
    },
    "dashboard_filters": {
        "name": "Name by which queries set the filter, unique on its dashboard.",
        "label": "Label to show; null means the name of the filter.",
        "kind": "Kind of value that the filter takes: `text`, `number`, `boolean`, `date`, `time_range`, `select`.",
        "column_name": "Column of the widgets' tables that the filter compares.",
        "operator": (
            "How the filter compares the column with its value: `eq`, `ne`, `in`, `notIn`, `lt`, `lte`, `gt`, `gte`, "
            "`between`, `isNull`, `like`, `ilike`, `startsWith`."
        ),
        "default_value": "Default value: a list for `in` and `notIn`, a pair for `between`; null means none.",
        "is_required": "Whether the widgets it applies to are queried only if it has a value.",
        "targets": (
            "Widgets it applies to: objects with `widgetId` and `column`; null means all whose table has its column."
        ),
        "dataset_id": "Dataset that its choices are read from.",
        "table_name": "Table that its choices are read from.",
        "position": "Sort position among the filters, lowest first.",
    },
    "dashboard_groups": {
        "owner_subject": "Subject (`sub`) of the user who created it, its owner.",
        "name": "Name of the folder, unique among its owner's folders.",
        "description": "What the dashboards of the folder have in common.",
        "position": "Sort position among the folders, lowest first.",
    },
    "dashboard_widgets": {
        "title": "Title, shown above the widget.",
        "description": "How to read the widget.",
        "kind": (
            "How the widget is drawn: `table`, `number`, `bar`, `line`, `area`, `pie`, `scatter`, `heatmap`, `map`, "
            "`text`."
        ),
        "x": "Grid column of the widget's left edge, from 0.",
        "y": "Grid row of the widget's top edge, from 0.",
        "width": "Width of the widget in grid columns.",
        "height": "Height of the widget in grid rows.",
        "dataset_id": "Dataset that the widget queries; null only for `text`.",
        "table_name": "Table that the widget queries; null only for `text`.",
        "query": (
            "The query: `select` for rows, or `measures`, `groupBy` and `over` for groups; `where`, `orderBy` and "
            "`limit`."
        ),
        "options": "Display options, such as colours, axes and formats. Their shape is up to the client.",
    },
    "dashboards": {
        "owner_subject": "Subject (`sub`) of the user who created it, its owner.",
        "name": "Name of the dashboard, unique among its owner's dashboards.",
        "description": "What the dashboard shows, and for whom.",
        "visibility": (
            "Who can see it: `private` its owner, `dataset` also everyone who can see its dataset, `everyone` all "
            "users."
        ),
        "dataset_id": "Dataset that the dashboard is mainly about.",
        "dashboard_group_id": "Folder that the dashboard is shown in.",
        "time_zone": "IANA time zone of its time buckets, such as `Europe/Berlin`.",
        "refresh_seconds": "Seconds after which an open dashboard is refreshed, at least 5; null means never.",
    },
    "data_sources": {
        "connector_type": "Type of the connector, such as `clickhouse` or `s3_parquet`.",
    },
    "dataset_groups": {
        "position": "Sort position among the groups, lowest first.",
    },
    "dataset_maps": {
        "geometry_column": "Geometry column of the table, which is drawn on the map.",
    },
    "dataset_semantic_metrics": {
        "dataset_id": "Dataset of the metric.",
        "name": "Name used in queries, unique within the dataset: lower-case letters, digits and underscores.",
        "is_current": "Whether this is the current version of the metric; a withdrawn metric has none.",
        "description": "What the metric means, and how to interpret it.",
        "unit": "Unit of the metric's value, such as `min`.",
        "kind": "How the metric is defined: `simple`, `ratio`, `derived`, `cumulative`.",
        "table_name": "Table that a `simple` metric aggregates; null for the other kinds, which combine metrics.",
        "grain": "Columns that together identify a row of the metric's table.",
        "time_column": "Time column, by which the metric is grouped into time buckets.",
        "dimensions": "Columns that the metric may be grouped by.",
        "definition": (
            "Definition by kind. `simple`: `measure`, `where`, `joins`, `names`; `ratio`: `numerator`, `denominator`; "
            "`derived`: `expression`, `metrics`; `cumulative`: `metric`, `window`, `grainToDate`."
        ),
        "author_subject": "Subject (`sub`) of the user who wrote this version.",
    },
    "dkb_article_versions": {
        "article_id": "Id of the article, the same in all its versions.",
        "is_current": "Whether this is the current version of the article; a withdrawn article has none.",
        "dataset_id": "Dataset that the article explains.",
        "table_name": "Table that the article explains; null means the whole dataset.",
        "tags": "Keywords of the article.",
        "author_subject": "Subject (`sub`) of the user who wrote this version.",
    },
    "external_api_access_tokens": {
        "id": "Key of the connection that the token belongs to.",
        "key_version": "Version of the encryption key.",
        "expires_at": "When the access token expires (UTC).",
    },
    "external_api_authorizations": {
        "owner_subject": "Subject (`sub`) of the user who created it, its owner.",
        "state_sha256": "SHA-256 of the `state` parameter of the authorization request.",
        "key_version": "Version of the encryption key.",
        "redirect_url": "Redirect URI, to which the API sends the user back.",
        "expires_at": "When the authorization expires (UTC).",
    },
    "external_api_revocation_tokens": {
        "id": "Key of the connection that ended; a new UUIDv7 for a token that was replaced.",
        "revocation_id": "Revocation that the token belongs to; null while its connection exists.",
        "key_version": "Version of the encryption key.",
        "attempts": "Number of failed attempts. Tokens with fewer attempts are tried first.",
        "account_id": "Existing connection in which the token was replaced; null once the connection has ended.",
    },
    "external_api_revocations": {
        "api_name": "Name of the API when the connections ended.",
        "revocation_url": "OAuth 2 revocation endpoint of the API (RFC 7009).",
        "client_id": "OAuth 2 client id of this platform at the API.",
        "key_version": "Version of the encryption key.",
        "next_attempt_at": "Earliest time at which the worker sends the next request to the API (UTC).",
        "attempts": "Number of failed attempts in a row.",
        "last_error": "Error of the last failed attempt; null after a success.",
    },
    "external_apis": {
        "description": "What the API is used for.",
        "base_url": "Base URL of the API.",
        "token_url": "OAuth 2 token endpoint, which exchanges codes for tokens.",
        "client_id": "OAuth 2 client id of this platform at the API.",
        "scopes": "OAuth 2 scopes that are requested.",
        "is_enabled": "Whether users may connect to the API.",
        "key_version": "Version of the encryption key.",
        "issuer": (
            "Issuer that authorization responses must state exactly as `iss` (RFC 9207); null if the API sends none."
        ),
        "revocation_url": "OAuth 2 revocation endpoint (RFC 7009); null if the API has none.",
    },
    "idempotency_keys": {
        "response_key": "Alias or name of the mutation in its document, which can contain it several times.",
        "row_key": "Primary key of the row that the mutation was about, one text per column; empty if none.",
    },
    "openfga_outbox": {
        "id": "Key of the entry. Entries of the same object are delivered in ascending order.",
        "object": "OpenFGA object of all tuples of the entry, such as `role:100`.",
        "deletes": "Tuples to delete; at most 100 together with those to write.",
        "writes": "Tuples to write: user, relation, object and an optional condition.",
        "next_attempt_at": (
            "Earliest time at which the worker tries to deliver the entry (UTC); the request that wrote it tries at "
            "once."
        ),
        "attempts": "Number of failed attempts to deliver the entry.",
        "last_error": "Error of the last failed attempt.",
        "delivered_at": "When OpenFGA accepted the entry (UTC); null until then.",
    },
    "role_assignments": {
        "resource_type": "Type of the resource: `system`, `datasource`, `dataset` or `table`.",
        "data_source_id": "The data source, if the resource is one; null otherwise.",
        "dataset_id": "The dataset, if the resource is one or a table of it; null otherwise.",
        "table_name": "Name of the table within the dataset, if the resource is one; null otherwise.",
    },
    "roles": {
        "has_view_table": "Whether its holders see the tables it is assigned to, and their rows.",
        "has_query_dataset": "Whether its holders may run their own read-only SQL on the datasets it is assigned to.",
    },
    "table_filters": {
        "column_name": "Column that the filter compares.",
        "kind": "Kind of value that the filter takes: `text`, `number`, `boolean`, `date`, `time_range`, `select`.",
        "operator": (
            "How the filter compares the column with its value: `eq`, `ne`, `in`, `notIn`, `lt`, `lte`, `gt`, `gte`, "
            "`between`, `isNull`, `like`, `ilike`, `startsWith`."
        ),
        "label": "Label to show; null means the name of the column.",
        "description": "What the filter is for.",
        "default_value": "Default value: a list for `in` and `notIn`, a pair for `between`; null means none.",
        "is_required": "Whether queries of the table must restrict the column as the filter does.",
        "position": "Sort position among the table's filters, lowest first.",
    },
    "table_profile_cache": {
        "row_count": "Number of rows in the table; null if unknown.",
        "byte_count": "Stored size in bytes according to the engine's metadata; null if unknown.",
        "basis": (
            "Rows that the statistics were computed from: `table` all, `partition` those that match the condition, "
            "`sample` some of them, `metadata` none."
        ),
        "profiled_rows": "Number of rows that the statistics were computed from.",
        "estimated_bytes": (
            "Bytes that the read was estimated to scan, before it ran; null if the engine gives no estimate."
        ),
        "excluded_columns": "Columns that the refresh did not read.",
        "drift": "Columns added, removed and retyped since the previous version.",
    },
    "table_profile_schedules": {
        "owner_subject": "Subject (`sub`) of the user who set the schedule. Its jobs act as that user.",
        "cron": (
            "Cron expression: minute, hour, day of month, month, day of week. Null if the schedule has an interval."
        ),
        "time_zone": (
            "IANA time zone of the cron expression, such as `Europe/Zurich`; null if the schedule has an interval."
        ),
        "every_minutes": (
            "Interval between refreshes in minutes, 5 to 527,040 (366 days); null if the schedule has a cron "
            "expression."
        ),
        "refresh": (
            "Options of each refresh, as in the arguments of its job: `sampleRows`, `where`, `excludeColumns`, "
            "`maxBytes`."
        ),
        "next_run_at": "When the next refresh is due (UTC); null if there is none.",
        "last_run_at": "When the schedule last started a job (UTC).",
        "last_skipped_at": (
            "When the schedule last skipped a refresh, because another one of the table was still running (UTC)."
        ),
        "last_job_id": "Job that the schedule started last; null if there is none.",
        "last_state": "Final state of the last job: `succeeded`, `failed` or `cancelled`; null until it has ended.",
        "last_error": "Why the last job failed, or why there is no next refresh: code and message.",
        "paused_at": (
            "When the schedule was paused (UTC); null while it is active. Setting or resuming it ends the pause."
        ),
        "pause_reason": "Why the schedule is paused, and what to do about it.",
    },
    "table_profile_versions": {
        "profile_id": "Profile that this is a version of.",
        "job_id": "Job that computed the version. A job that runs again writes no second version.",
        "row_count": "Number of rows in the table; null if unknown.",
        "byte_count": "Stored size in bytes according to the engine's metadata; null if unknown.",
        "basis": (
            "Rows that the statistics were computed from: `table` all, `partition` those that match the condition, "
            "`sample` some of them, `metadata` none."
        ),
        "profiled_rows": "Number of rows that the statistics were computed from.",
        "estimated_bytes": (
            "Bytes that the read was estimated to scan, before it ran; null if the engine gives no estimate."
        ),
        "excluded_columns": "Columns that the refresh did not read.",
        "drift": "Columns added, removed and retyped since the previous version.",
    },
    "tooltip_templates": {
        "column_names": "Columns that the template uses, so that a client knows which to select.",
    },
    "user_external_api_tokens": {
        "owner_subject": "Subject (`sub`) of the user who created it, its owner.",
        "key_version": "Version of the encryption key of the token.",
        "expires_at": "When the refresh token expires (UTC); null if the API does not state it.",
        "refreshed_at": "When the refresh token was last used to get an access token (UTC).",
    },
    "user_favorite_dashboards": {
        "id": "Key of the favorite (UUIDv7).",
        "owner_subject": "Subject (`sub`) of the user who created it, its owner.",
        "dashboard_id": "The favorite dashboard.",
    },
    "user_favorite_datasets": {
        "id": "Key of the favorite (UUIDv7).",
        "owner_subject": "Subject (`sub`) of the user who created it, its owner.",
        "dataset_id": "The favorite dataset.",
    },
    "user_favorite_tables": {
        "id": "Key of the favorite (UUIDv7).",
        "owner_subject": "Subject (`sub`) of the user who created it, its owner.",
        "dataset_id": "Dataset of the favorite table.",
        "table_name": "Name of the favorite table.",
    },
    "user_roles": {
        "user_id": "User who holds the role.",
    },
    "users": {
        "is_active": "Whether the user counts as a holder of roles. `users` of `axion_sense` decides who can sign in.",
    },
}
"""By table, then by column."""


def upgrade() -> None:
    for table, comment in _TABLES.items():
        op.create_table_comment(table, comment, schema="public")
    for table, comments in _COLUMNS.items():
        for column, comment in comments.items():
            op.alter_column(table, column, comment=comment, schema="public")
