"""Mutations of the APIs users may connect to, for administrators; and of one's own connections."""

import strawberry

from resolvers.permissions.guards import AdminWrite, OwnWrite
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
)


@strawberry.type
class ExternalMutation:
    gen_external_api_create = creates(
        "GenExternalApi", guard=_SYSTEM, columns=_API, description="Offers users an API of others. For administrators."
    )
    gen_external_api_update = updates(
        "GenExternalApi", guard=_SYSTEM, columns=_API, description="Changes an API that is offered. For administrators."
    )
    gen_external_api_delete = deletes(
        "GenExternalApi",
        guard=_SYSTEM,
        description="Offers an API no more, and forgets all users' tokens for it. For administrators.",
    )
    gen_external_account_delete = deletes(
        "GenExternalAccount", guard=OwnWrite("owner_subject"), description="Forgets your token for an API of others."
    )
