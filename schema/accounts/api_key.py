from loaders.tables.axion_sense import public
from resolvers.permissions.guards import Own
from schema.mapping.declare import column, table_type, to_one


@table_type(public.ApiKey, store="axion_sense", guard=Own("user_id", "user_id"))
class ApiKey:
    """What a program sends instead of an OIDC token: `Authorization: Bearer axk_...`. The secret is shown once only."""

    name = column()
    scopes = column()
    created_at = column()
    expires_at = column()
    revoked_at = column()
    user = to_one("User", local="user_id", description="The user it acts as.")
