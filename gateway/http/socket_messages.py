"""Messages of `graphql-transport-ws`, and the ways a connection ends.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
from typing import Any

import orjson
from starlette.types import Receive

from gateway.http.exact_json import NumberRefused, exact_json
from loaders.encode.number import exact_text

MAX_REASON_BYTES = 123
"""RFC 6455, 5.5: a control frame carries 125 bytes, two of them the code."""


class Closed(Exception):
    """Ends the connection with a close code of the protocol."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")


class Left(Exception):
    """The client has closed the connection, or it broke. Nothing more can be received."""


async def next_message(receive: Receive, *, max_bytes: int, within: float | None, late: Closed) -> dict[str, Any]:
    """The next message, an object with a `type`. Raises `Left`, `Closed` for a malformed message, and `late` when none
    came `within` so many seconds.
    """
    try:
        async with asyncio.timeout(within):
            received = await receive()
    except TimeoutError:
        raise late from None
    if received["type"] == "websocket.disconnect":
        raise Left
    text = received.get("text")
    if text is None:
        raise Closed(4400, "Messages are texts")
    if len(text) > max_bytes:
        raise Closed(1009, "Message too big")
    try:
        message = exact_json(text.encode())
    except NumberRefused as error:
        raise Closed(4400, f"Invalid message: {error.msg}") from None
    except ValueError:
        raise Closed(4400, "Invalid message: no JSON") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise Closed(4400, "Invalid message: no type")
    return message


def id_of(message: dict[str, Any]) -> str:
    """The id of the operation that the message is about. Raises `Closed`."""
    id_ = message.get("id")
    if not isinstance(id_, str) or not id_:
        raise Closed(4400, "Invalid message: no id")
    return id_


def credentials_of(message: dict[str, Any], *, header: str | None) -> str | None:
    """The `authorization` in the payload of `connection_init`, else the handshake's header. Raises `Closed`."""
    payload = message.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise Closed(4400, "The payload of connection_init must be an object")
    sent = (payload or {}).get("authorization", (payload or {}).get("Authorization", header))
    if sent is not None and not isinstance(sent, str):
        raise Closed(4403, "Forbidden")
    return sent


def pong_of(ping: dict[str, Any]) -> str:
    """The text of the pong that answers a ping, with the ping's payload. Raises `Closed`."""
    pong = {"type": "pong", **({"payload": ping["payload"]} if "payload" in ping else {})}
    try:
        return orjson.dumps(pong).decode()
    except orjson.JSONEncodeError:  # it can read, but not write, very large numbers and more than 254 levels
        return _exact(pong)


def _exact(message: dict[str, Any]) -> str:
    try:
        return exact_text(message)
    except RecursionError:
        raise Closed(4400, "Invalid message: nested too deeply") from None
