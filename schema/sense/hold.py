from loaders.tables.axion_sense import road_data
from resolvers.permissions.guards import Visible
from schema.mapping.declare import column, table_type, to_one


@table_type(road_data.Hold, store="axion_sense", guard=Visible("organization", "can_view", "organization_id"))
class SenseHold:
    """A marked place on the road, with a message for drivers who pass it."""

    location = column()
    message = column()
    created_at = column()
    organization = to_one(
        "SenseOrganization", local="organization_id", description="The organization that marked the place."
    )
