from loaders.tables.axion_sense import public
from resolvers.permissions.guards import Own
from schema.mapping.declare import column, table_type, to_many
from schema.mapping.enums import enum_of_words

UserKind = enum_of_words(
    public.USER_KINDS,
    "UserKind",
    "The kind of a user.",
    {"person": "A person who signs in.", "service": "A service account, which has only API keys."},
)


@table_type(public.User, store="axion_sense", guard=Own("id", "user_id"))
class User:
    """A user of the platform: a person or a service account. Visible to the user and to administrators."""

    external_auth_id = column(
        "The `sub` claim of the user's tokens. Permissions are granted to `user:{externalAuthId}`."
    )
    email = column()
    display_name = column()
    is_active = column()
    kind = column("A person, or a service account.", enum=UserKind)
    api_keys = to_many("ApiKey", remote="user_id", description="The API keys that act as this user.")
