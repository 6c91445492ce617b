"""The stored form of a chat's messages."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, JsonValue, RootModel

from resolvers.gen.shapes import Stored, shape


class ToolCall(Stored):
    """A tool that an agent called while it answered."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    arguments: JsonValue = None
    result: JsonValue = None


class Message(Stored):
    """One message. `at` is an RFC 3339 instant."""

    role: Literal["user", "agent", "system"]
    content: Annotated[str, Field(max_length=100_000)]
    at: Annotated[AwareDatetime, Field(strict=False)] | None = None
    tool_calls: Annotated[list[ToolCall], Field(max_length=100)] | None = None


class Messages(RootModel[Annotated[list[Message], Field(max_length=2_000)]]):
    """A conversation, oldest first."""


CHAT_MESSAGES = shape(Messages)
