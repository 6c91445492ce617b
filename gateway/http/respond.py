"""Writes a whole HTTP response as two ASGI messages, with less work per request than a `starlette.Response`.

The server's `send` waits until earlier messages were written, never for its own message; `finish` also waits for the
last one.
"""

import asyncio
from collections.abc import Mapping

from starlette.types import Receive, Send

from gateway.http.body import HungUp, hung_up
from gateway.http.media_type import MediaType

_CONTENT_TYPES = {
    MediaType.JSON: b"application/json; charset=utf-8",
    MediaType.GRAPHQL: b"application/graphql-response+json; charset=utf-8",
}

_BUFFERED_BYTES = 32 << 10
"""So little is handed over at once: servers take 64 KiB before they make anybody wait."""


async def respond(
    send: Send, status: int, body: bytes, media_type: MediaType, headers: Mapping[str, str] | None = None
) -> None:
    """Sends a small response without waiting for the client to read it."""
    await _start(send, status, len(body), media_type, headers)
    await send({"type": "http.response.body", "body": body})


async def respond_until_read(receive: Receive, send: Send, status: int, body: bytes, media_type: MediaType) -> None:
    """Returns when the client has read the answer, except for what small buffers hold. Raises `HungUp` when it
    disconnects before.

    The body of the request must have been read.
    """
    if len(body) <= _BUFFERED_BYTES:
        await respond(send, status, body, media_type)
        return
    leaving = asyncio.create_task(hung_up(receive))
    try:
        await _start(send, status, len(body), media_type)
        await send({"type": "http.response.body", "body": body, "more_body": True})
        await finish(send, leaving)
    finally:
        leaving.cancel()


async def finish(send: Send, leaving: "asyncio.Task[None]") -> None:
    """Ends a response when the client has read it. Raises `HungUp` when it disconnects before (`leaving` is a task of
    `hung_up`).
    """
    await send({"type": "http.response.body", "body": b"", "more_body": True})
    if leaving.done():
        raise HungUp
    await send({"type": "http.response.body", "body": b""})


async def _start(
    send: Send, status: int, length: int, media_type: MediaType, headers: Mapping[str, str] | None = None
) -> None:
    raw = [
        (b"content-type", _CONTENT_TYPES[media_type]),
        (b"content-length", b"%d" % length),
        (b"cache-control", b"no-store"),
        (b"vary", b"accept"),
    ]
    if headers:
        raw += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
