"""Mutations of the APIs users may connect to, for administrators."""

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
        "GenExternalApi", guard=_SYSTEM, columns=_API, description="Offers users an API of others. For administrators."
    )
    gen_external_api_update = updates(
        "GenExternalApi",
        guard=_SYSTEM,
        columns=_API,
        along=forget_if_moved,
        description="Changes an API that is offered. An address at another host forgets the client secret and all "
        "users' tokens, which are ended at the old one: set the secret again, and let users connect again. For "
        "administrators.",
    )
    gen_external_api_delete = deletes(
        "GenExternalApi",
        guard=_SYSTEM,
        along=revoke_if_deleted,
        description="Offers an API no more, forgets all users' tokens for it, and has the API end them where it can, "
        "however long it does not answer. For administrators.",
    )
