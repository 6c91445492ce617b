"""Writes a whole HTTP response with two messages: what a `starlette.Response` does, less its work per request."""

from collections.abc import Mapping

from starlette.types import Send

from gateway.http.media_type import MediaType

_CONTENT_TYPES = {
    MediaType.JSON: b"application/json; charset=utf-8",
    MediaType.GRAPHQL: b"application/graphql-response+json; charset=utf-8",
}


async def respond(
    send: Send, status: int, body: bytes, media_type: MediaType, headers: Mapping[str, str] | None = None
) -> None:
    raw = [
        (b"content-type", _CONTENT_TYPES[media_type]),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        (b"vary", b"accept"),
    ]
    if headers:
        raw += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
