"""Reads a request's body as decoded chunks, and detects that the client disconnected."""

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from deploy.local.clickhouse_server.encoding import Decoder
from deploy.local.clickhouse_server.errors import ServerError

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


class ClientGone(Exception):
    """The client disconnected, so nobody reads the answer."""


class Body:
    """Can be read once, in order. Nothing is read ahead, so an unread body slows the client."""

    def __init__(self, receive: Receive, decoder: Decoder) -> None:
        self._receive = receive
        self._decoder = decoder
        self.ended = False

    async def chunks(self) -> AsyncIterator[bytes]:
        while not self.ended:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            encoded: bytes = message.get("body", b"")
            self.ended = not message.get("more_body", False)
            chunk = self._decoder.decode(encoded) if encoded else b""
            if chunk:
                yield chunk
        self._decoder.finish()

    async def read(self, *, limit: int) -> bytes:
        """The rest of the body. `ServerError` 223 when it has more than `limit` bytes."""
        content = bytearray()
        async for chunk in self.chunks():
            content += chunk
            if len(content) > limit:
                raise ServerError(223, "QUERY_IS_TOO_LARGE", f"The statement is longer than {limit} bytes")
        return bytes(content)

    async def read_some(self, *, at_least: int) -> bytes:
        """The beginning of the rest: at least `at_least` bytes, or everything if there is less."""
        content = bytearray()
        async for chunk in self.chunks():
            content += chunk
            if len(content) >= at_least:
                break
        return bytes(content)

    async def wait_for_client_to_go(self) -> None:
        """Returns when the client disconnects. Call it only after the body has ended."""
        while (await self._receive())["type"] != "http.disconnect":
            continue
