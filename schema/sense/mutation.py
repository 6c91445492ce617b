"""Sense's mutations."""

import strawberry

from resolvers.permissions.guards import WriteGuard
from schema.mapping.writes import creates, deletes, updates

_MEMBERS = WriteGuard("organization", "can_view", "organization_id")
_HOLD = ("organization_id", "location", "message")


@strawberry.type
class SenseMutation:
    sense_hold_create = creates(
        "SenseHold", guard=_MEMBERS, columns=_HOLD, description="Marks a place. For members of the organization."
    )
    sense_hold_update = updates(
        "SenseHold",
        guard=_MEMBERS,
        columns=_HOLD,
        description="Changes a marked place. For members of its organization and, if it is moved, of the new one.",
    )
    sense_hold_delete = deletes(
        "SenseHold", guard=_MEMBERS, description="Removes a marked place. For members of its organization."
    )
