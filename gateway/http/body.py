"""Reads a request body, bounded in size and time. Nothing beyond the bound is kept."""

import asyncio

from starlette.types import Receive

from gateway.http.refusal import refuse
from loaders.errors import Code

BODY_SECONDS = 30.0
"""For all of the body: a client that stops in the middle holds a connection and nothing else, but for ever."""


class HungUp(Exception):
    """The client has disconnected, so nobody would read an answer."""


async def read_body(receive: Receive, *, declared: str | None, maximum: int) -> bytes:
    """The body. Raises `HungUp`; `Refusal` 413 as soon as the declared or received length exceeds `maximum` bytes; and
    `Refusal` 408 when the body did not arrive in time.
    """
    if declared is not None and declared.isdecimal() and int(declared[:20]) > maximum:
        raise _too_large(maximum)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(None) as bound:
            # Most bodies are here already, and a timer costs a tenth of the cheapest request: it is set by who waits.
            waits = loop.call_soon(bound.reschedule, loop.time() + BODY_SECONDS)
            try:
                return await _read(receive, maximum)
            finally:
                waits.cancel()
    except TimeoutError:
        message = f"The request body did not arrive within {BODY_SECONDS:g} s: send it again, whole."
        raise refuse(408, Code.REQUEST_INVALID, message, headers={"connection": "close"}) from None


async def hung_up(receive: Receive) -> None:
    """Returns when the client disconnects. The body of the request must have been read before."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _read(receive: Receive, maximum: int) -> bytes:
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
