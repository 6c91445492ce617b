from loaders.tables.axion_gen import identity
from resolvers.permissions.guards import Own
from schema.mapping.declare import column, table_type, to_many


@table_type(identity.User, store="axion_gen", guard=Own("external_auth_id", "id"))
class GenUser:
    """Someone who uses Gen. You see yourself; administrators see all."""

    external_auth_id = column()
    email = column()
    display_name = column()
    is_active = column(
        "Whether they count among the holders of a role, one of whom `Admin` keeps. `User.isActive` says who signs in."
    )
    created_at = column()
    updated_at = column()
    roles = to_many("GenUserRole", remote="user_id", description="The roles held.")
    dashboards = to_many(
        "GenDashboard",
        local="external_auth_id",
        remote="owner_subject",
        description="The dashboards they made that you may see.",
    )
    dashboard_groups = to_many(
        "GenDashboardGroup",
        local="external_auth_id",
        remote="owner_subject",
        description="The folders of dashboards they made that you may see.",
    )
