"""One entry of the audit log (reference/axion-sense-data-model.txt, `audit_log`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

PLATFORM = 0
"""The `organization_id` of events that belong to no organization."""


class Action(StrEnum):
    """The closed list of audited actions."""

    DENIED = "denied"
    TUPLES_CHANGED = "permissions.tuples_changed"
    SQL_RUN = "sql.run"
    SQL_REFUSED = "sql.refused"
    API_KEY_CREATED = "api_key.created"
    API_KEY_REVOKED = "api_key.revoked"
    SERVICE_ACCOUNT_CREATED = "service_account.created"
    SERVICE_ACCOUNT_CHANGED = "service_account.changed"
    EXTERNAL_API_MOVED = "external_api.moved"
    EXTERNAL_API_DELETED = "external_api.deleted"
    PROFILE_SCHEDULE_PAUSED = "profile_schedule.paused"
    PROFILE_SCHEDULE_RESUMED = "profile_schedule.resumed"
    TOKENS_NOT_REVOKED = "external_api.tokens_not_revoked"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """`actor` is the subject as OpenFGA names it, empty for anonymous callers. `facts` is a JSON object without
    secrets.
    """

    action: Action
    actor: str
    resource: str
    request_id: str
    facts: Mapping[str, object] = field(default_factory=dict)
    organization_id: int = PLATFORM
