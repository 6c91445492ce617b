"""Watching jobs over both transports: graphql-transport-ws and server-sent events."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from tests.system.client import Client

WATCH = """
subscription Watch($id: ID!, $after: BigInt) {
  jobUpdated(id: $id, after: $after) { sequence kind payload isFinal job { state } }
}
"""
Message = dict[str, Any]


@dataclass(slots=True)
class Socket:
    """One acknowledged connection."""

    socket: aiohttp.ClientWebSocketResponse

    async def send(self, **message: Any) -> None:
        await self.socket.send_str(orjson.dumps(message).decode())

    async def receive(self) -> Message:
        message: Message = orjson.loads(await self.socket.receive_str(timeout=30))
        return message

    async def subscribe(self, document: str, variables: Mapping[str, Any], *, id_: str = "1") -> None:
        await self.send(id=id_, type="subscribe", payload={"query": document, "variables": dict(variables)})

    async def payloads(self) -> AsyncGenerator[Message, None]:
        """What `next` messages of the one operation bring, until `complete`; an `error` message is raised."""
        while (message := await self.receive())["type"] != "complete":
            assert message["type"] == "next", message
            yield message["payload"]


@asynccontextmanager
async def connected(client: Client, user: str | None) -> AsyncIterator[Socket]:
    url = client.url.replace("http://", "ws://") + "/graphql"
    async with client.http.ws_connect(url, protocols=("graphql-transport-ws",)) as socket:
        connection = Socket(socket)
        payload = {} if user is None else {"authorization": f"Bearer {client.tokens[user]}"}
        await connection.send(type="connection_init", payload=payload)
        assert await connection.receive() == {"type": "connection_ack"}
        yield connection


async def over_websocket(client: Client, job: str, *, user: str, after: int | None = None) -> list[Message]:
    """The job's events until it has ended."""
    async with connected(client, user) as socket:
        await socket.subscribe(WATCH, {"id": job, "after": None if after is None else str(after)})
        return [payload["data"]["jobUpdated"] async for payload in socket.payloads()]


@dataclass(frozen=True, slots=True)
class ServerSent:
    """An event of a stream: its name, its id and its data as JSON."""

    name: str
    id: str | None
    data: Any


async def over_sse(
    client: Client, job: str, *, user: str, after: int | None = None, last_event_id: str | None = None
) -> list[ServerSent]:
    """All events of the stream until its end."""
    headers = client.headers(user, accept="text/event-stream")
    if last_event_id is not None:
        headers["last-event-id"] = last_event_id
    body = {"query": WATCH, "variables": {"id": job, "after": None if after is None else str(after)}}
    async with client.http.post(f"{client.url}/graphql", json=body, headers=headers) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        return [_event(block) for block in (await response.text()).split("\n\n") if block and not block.startswith(":")]


def _event(block: str) -> ServerSent:
    fields: dict[str, list[str]] = {}
    for line in block.split("\n"):
        name, _, value = line.partition(":")
        fields.setdefault(name, []).append(value.removeprefix(" "))
    data = "\n".join(fields["data"])
    return ServerSent(fields["event"][0], fields.get("id", [None])[0], orjson.loads(data) if data else None)
