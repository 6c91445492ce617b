from loaders.tables.axion_gen import role_assignments
from resolvers.permissions.guards import Visible
from schema.gen.resource_type import GenResourceType
from schema.mapping.declare import column, table_type, to_one


@table_type(role_assignments.RoleAssignment, store="axion_gen", guard=Visible("role", "assignee", "role_id"))
class GenRoleAssignment:
    """A resource that a role is assigned to: the role's flags apply to it and to everything below it."""

    resource_type = column("The type of the resource.", enum=GenResourceType)
    table_name = column()
    created_at = column()
    role = to_one("GenRole", local="role_id", description="The role that is assigned.")
    data_source = to_one(
        "GenDataSource", local="data_source_id", description="The data source, if the resource is one."
    )
    dataset = to_one(
        "GenDataset", local="dataset_id", description="The dataset, if the resource is one or a table of it."
    )
