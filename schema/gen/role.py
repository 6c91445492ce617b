from loaders.tables.axion_gen import identity
from resolvers.permissions.guards import Visible
from schema.mapping.declare import column, table_type, to_many, to_one


@table_type(identity.Role, store="axion_gen", guard=Visible("role", "assignee", "id"))
class GenRole:
    """What its holders may do on the resources it is assigned to. You can see the roles you hold."""

    name = column()
    description = column()
    is_built_in = column()
    has_admin_datasource = column()
    has_view_dataset = column()
    has_view_table = column()
    has_query_dataset = column()
    created_at = column()
    updated_at = column()
    parent = to_one("GenRole", local="parent_role_id", description="The role that it inherits flags from.")
    children = to_many("GenRole", remote="parent_role_id", description="The roles that inherit its flags.")
    users = to_many(
        "GenUserRole", remote="role_id", description="Its holders; only yourself unless you are an administrator."
    )
    assignments = to_many("GenRoleAssignment", remote="role_id", description="The resources it is assigned to.")
