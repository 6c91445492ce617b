"""Mutations of chats, agents' artifacts and what agents have done: each the caller's own."""

import strawberry

from resolvers.gen.chat_messages import CHAT_MESSAGES
from resolvers.permissions.guards import OwnWrite
from schema.mapping.writes import creates, deletes, revises, updates

_OWNER = OwnWrite("owner_subject")
_CHAT = ("title", "dataset_id", "dashboard_id", "messages", "archived_at")
_MESSAGES = {"messages": CHAT_MESSAGES}
_ENTRY = ("agent", "action", "outcome", "chat_session_id", "dataset_id", "table_name", "details")


@strawberry.type
class AgentMutation:
    gen_chat_session_create = creates(
        "GenChatSession", guard=_OWNER, columns=_CHAT, shapes=_MESSAGES, description="Starts a conversation."
    )
    gen_chat_session_update = updates(
        "GenChatSession",
        guard=_OWNER,
        columns=_CHAT,
        shapes=_MESSAGES,
        description="Continues, renames or archives one of your conversations.",
    )
    gen_chat_session_delete = deletes(
        "GenChatSession", guard=_OWNER, description="Deletes one of your conversations, with the artifacts made in it."
    )
    gen_artifact_version_create = creates(
        "GenArtifactVersion",
        guard=_OWNER,
        columns=("chat_session_id", "kind", "title", "content"),
        description="Stores the first version of an artifact that an agent made for you.",
    )
    gen_artifact_version_revise = revises(
        "GenArtifactVersion",
        guard=_OWNER,
        series=("artifact_id",),
        columns=("title", "content"),
        description="Stores the next version of an artifact that an agent made for you; the earlier ones stay "
        "unchanged.",
    )
    gen_agent_audit_entry_create = creates(
        "GenAgentAuditEntry",
        guard=OwnWrite("subject"),
        columns=_ENTRY,
        description="Records an action an agent took for you. The entry cannot be changed or removed; administrators "
        "can read it.",
    )
