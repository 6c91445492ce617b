from loaders.tables.clickhouse import sense
from resolvers.permissions.guards import Visible
from schema.mapping.declare import column, table_type


@table_type(
    sense.AUDIT_LOG,
    store="clickhouse",
    guard=Visible("organization", "can_admin", "organization_id"),
    key=("organization_id", "created_at", "id"),  # the table's sort key: pages are read in order
    row_id="id",
)
class SenseAuditEntry:
    """An operation that was denied or that changed permissions. For administrators of the organization."""

    organization_id = column()
    created_at = column()
    actor = column()
    action = column()
    resource = column()
    request_id = column()
    context = column()
