from loaders.read import Join
from loaders.tables.axion_gen import dashboards
from resolvers.permissions.guards import AnyOf, Own, Through
from schema.gen.dashboard import VISIBLE_DASHBOARD
from schema.mapping.declare import column, table_type, to_many, to_one
from schema.mapping.object import OBJECTS

_TO_ITS_OWNERS = Join(OBJECTS["GenDashboard"].table, ("id", "owner_subject"), ("dashboard_group_id", "owner_subject"))


@table_type(
    dashboards.DashboardGroup,
    store="axion_gen",
    guard=AnyOf((Own("owner_subject", "id"), Through(_TO_ITS_OWNERS, VISIBLE_DASHBOARD))),
)
class GenDashboardGroup:
    """A folder of dashboards, visible to its owner and to those who can see one of the owner's dashboards in it."""

    name = column()
    description = column()
    owner_subject = column()
    position = column()
    created_at = column()
    updated_at = column()
    owner = to_one(
        "GenUser",
        local="owner_subject",
        remote="external_auth_id",
        description="The user who created it, if you may see them.",
    )
    dashboards = to_many("GenDashboard", remote="dashboard_group_id", description="The dashboards shown in it.")
