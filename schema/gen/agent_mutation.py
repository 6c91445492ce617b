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
        "GenChatSession", guard=_OWNER, columns=_CHAT, shapes=_MESSAGES, description="Begins a conversation of yours."
    )
    gen_chat_session_update = updates(
        "GenChatSession",
        guard=_OWNER,
        columns=_CHAT,
        shapes=_MESSAGES,
        description="Goes on with a conversation of yours, renames it or puts it away.",
    )
    gen_chat_session_delete = deletes(
        "GenChatSession", guard=_OWNER, description="Removes a conversation of yours, with what was made in it."
    )
    gen_artifact_version_create = creates(
        "GenArtifactVersion",
        guard=_OWNER,
        columns=("chat_session_id", "kind", "title", "content"),
        description="Keeps what an agent has made for you: its first version.",
    )
    gen_artifact_version_revise = revises(
        "GenArtifactVersion",
        guard=_OWNER,
        series=("artifact_id",),
        columns=("title", "content"),
        description="Keeps the next version of what an agent has made for you; the earlier ones stay as they are.",
    )
    gen_agent_audit_entry_create = creates(
        "GenAgentAuditEntry",
        guard=OwnWrite("subject"),
        columns=_ENTRY,
        description="Notes what an agent did in your name. Nobody changes or removes it; administrators read it.",
    )
