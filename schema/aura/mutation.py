"""Aura's mutations. Registering and removing workspaces with their indexes is the indexer's responsibility."""

import strawberry

from resolvers.permissions.guards import WriteGuard
from schema.mapping.writes import updates


@strawberry.type
class AuraMutation:
    aura_workspace_update = updates(
        "AuraWorkspace",
        guard=WriteGuard("workspace", "can_admin", "id"),
        columns=("name",),
        description="Renames a workspace. For its owner and administrators.",
    )
