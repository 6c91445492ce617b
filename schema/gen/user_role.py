from loaders.read import Join
from loaders.tables.axion_gen import identity
from resolvers.permissions.guards import Own, Through
from schema.mapping.declare import column, table_type, to_one
from schema.mapping.object import OBJECTS

_USER = Join(OBJECTS["GenUser"].table, ("user_id",), ("id",))


@table_type(identity.UserRole, store="axion_gen", guard=Through(_USER, Own("external_auth_id", "id")))
class GenUserRole:
    """A user's membership in a role. You can see your own; administrators can see all."""

    created_at = column()
    user = to_one("GenUser", local="user_id", description="The user who holds the role.")
    role = to_one("GenRole", local="role_id", description="The role held.")
