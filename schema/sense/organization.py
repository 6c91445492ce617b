from loaders.tables.axion_sense import public
from resolvers.permissions.guards import Visible
from schema.mapping.declare import column, table_type, to_many


@table_type(public.Organization, store="axion_sense", guard=Visible("organization", "can_view", "id"))
class SenseOrganization:
    """A tenant: all road data belongs to one organization."""

    name = column()
    code = column()
    track_logs = to_many("SenseTrackLog", remote="organization_id", description="The tracks its members drove.")
    holds = to_many("SenseHold", remote="organization_id", description="The places it marked.")
