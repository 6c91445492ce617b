from loaders.tables.axion_gen import catalog
from resolvers.permissions.guards import Relation, Visible
from schema.mapping.declare import column, table_type, to_many

_ADMINS = Relation("datasource", "can_admin", "name")


@table_type(catalog.DataSource, store="axion_gen", guard=Visible("datasource", "can_view", "name"))
class GenDataSource:
    """A remote warehouse whose tables are queried in place. Its credentials are encrypted and never exposed."""

    name = column()
    description = column()
    connector_type = column()
    options = column(
        "The connector's settings without its credentials, such as host and database. For administrators.",
        guard=_ADMINS,
    )
    key_version = column(
        "Version of the encryption key of the credentials; null without credentials. For administrators.", guard=_ADMINS
    )
    created_at = column()
    updated_at = column()
    datasets = to_many("GenDataset", remote="data_source_id", description="The datasets of its tables.")
    role_assignments = to_many(
        "GenRoleAssignment", remote="data_source_id", description="The assignments of your roles to it."
    )
