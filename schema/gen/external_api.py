from loaders.tables.axion_gen import external
from resolvers.permissions.guards import Own, SignedIn
from schema.mapping.declare import column, table_type, to_one

_OFFERED = SignedIn("Everyone who signs in may connect to the APIs the platform offers, so they see which there are.")


@table_type(external.ExternalApi, store="axion_gen", guard=_OFFERED)
class GenExternalApi:
    """An external API that users connect to with OAuth 2."""

    name = column()
    description = column()
    base_url = column()
    authorization_url = column()
    token_url = column(secret=True)
    client_id = column()
    scopes = column()
    is_enabled = column()
    issuer = column()
    revocation_url = column()
    created_at = column()
    updated_at = column()
    account = to_one(
        "GenExternalAccount",
        local="id",
        remote="external_api_id",
        description="Your account, if you have connected one.",
    )


@table_type(external.UserExternalApiToken, store="axion_gen", guard=Own("owner_subject", "id", personal=True))
class GenExternalAccount:
    """Your account at an external API. Its refresh token is encrypted and never exposed."""

    key_version = column("Version of the encryption key of the token.")
    scopes = column()
    expires_at = column()
    refreshed_at = column()
    created_at = column()
    updated_at = column()
    api = to_one("GenExternalApi", local="external_api_id", description="The API it is an account at.")
