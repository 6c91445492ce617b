"""Aura's mutations. Who may register a workspace, or remove one with its indexes, is the indexer's to say, not ours."""

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
