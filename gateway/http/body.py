"""Reads a request body up to a limit; nothing beyond the limit is ever kept."""

from starlette.types import Receive

from gateway.http.refusal import refuse
from loaders.errors import Code


class HungUp(Exception):
    """The client went away; nobody reads an answer."""


async def read_body(receive: Receive, *, declared: str | None, maximum: int) -> bytes:
    """Raises `Refusal` 413 as soon as the declared or the received length is beyond `maximum` bytes, or `HungUp`."""
    if declared is not None and declared.isdecimal() and int(declared[:20]) > maximum:
        raise _too_large(maximum)
    first: bytes | None = None
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HungUp
        body: bytes = message.get("body", b"")
        more = message.get("more_body", False)
        if first is None and not more and len(body) <= maximum:
            return body
        first = body
        size += len(body)
        if size > maximum:
            raise _too_large(maximum)
        chunks.append(body)
        if not more:
            return b"".join(chunks)


def _too_large(maximum: int) -> Exception:
    message = f"The request body is larger than {maximum} bytes: send less."
    return refuse(413, Code.REQUEST_TOO_LARGE, message, headers={"connection": "close"})
