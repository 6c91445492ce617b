"""Mutations of the external APIs that users can connect to, for administrators."""

import strawberry

from resolvers.gen.external_moves import forget_if_moved, revoke_if_deleted
from resolvers.permissions.guards import AdminWrite
from schema.mapping.writes import creates, deletes, updates

_SYSTEM = AdminWrite()
_API = (
    "name",
    "description",
    "base_url",
    "authorization_url",
    "token_url",
    "client_id",
    "scopes",
    "is_enabled",
    "issuer",
    "revocation_url",
)


@strawberry.type
class ExternalMutation:
    gen_external_api_create = creates(
        "GenExternalApi",
        guard=_SYSTEM,
        columns=_API,
        description="Registers an external API that users can connect to. For administrators.",
    )
    gen_external_api_update = updates(
        "GenExternalApi",
        guard=_SYSTEM,
        columns=_API,
        along=forget_if_moved,
        description="Changes a registered API. Moving an address to another host deletes the client secret and all "
        "users' tokens, which are revoked at the old one: set the secret again, and let users reconnect. For "
        "administrators.",
    )
    gen_external_api_delete = deletes(
        "GenExternalApi",
        guard=_SYSTEM,
        along=revoke_if_deleted,
        description="Deletes a registered API with all users' tokens, and revokes them if it has a revocation "
        "endpoint, with retries for a week. For administrators.",
    )
