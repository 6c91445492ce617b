from loaders.tables.axion_gen import identity
from resolvers.permissions.guards import Own
from schema.mapping.declare import column, table_type, to_many


@table_type(identity.User, store="axion_gen", guard=Own("external_auth_id", "id"))
class GenUser:
    """A user of Gen. You can see yourself; administrators can see all users."""

    external_auth_id = column()
    email = column()
    display_name = column()
    is_active = column(
        "Whether the user has the permissions of the roles held: the role `Admin` keeps at least one such user. "
        "`User.isActive` decides who can sign in."
    )
    created_at = column()
    updated_at = column()
    roles = to_many("GenUserRole", remote="user_id", description="The roles held.")
    dashboards = to_many(
        "GenDashboard",
        local="external_auth_id",
        remote="owner_subject",
        description="The user's dashboards that you may see.",
    )
    dashboard_groups = to_many(
        "GenDashboardGroup",
        local="external_auth_id",
        remote="owner_subject",
        description="The user's folders of dashboards that you may see.",
    )
