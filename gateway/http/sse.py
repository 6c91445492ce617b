"""graphql-sse's distinct connections: each operation is one event stream of `next` events and a `complete`.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md. A stream that was cut is resumed by repeating the
request with the `Last-Event-ID` header, which browsers' EventSource sends by itself.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

from starlette.types import Receive, Send

from gateway.http.answer import OK, refused
from gateway.http.authentication import first_renewal
from gateway.http.body import HungUp, hung_up
from gateway.http.incoming import Incoming
from gateway.http.observed import Observed
from gateway.http.operations import Operations, Streamed
from gateway.http.refusal import Refusal, refuse
from gateway.http.respond import finish
from gateway.http.running import ended
from loaders.errors import Code

KEEP_ALIVE_SECONDS = 12.0
"""A comment is sent after this much silence, so that nothing between us and the client takes it for dead."""

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
_COMPLETE = b"event: complete\ndata: \n\n"
_KEEP_ALIVE = b":\n\n"


async def send_events(
    incoming: Incoming, operations: Operations, receive: Receive, send: Send, observed: Observed
) -> None:
    """Sends events until the operation completes or the token expires; raises `HungUp` when the client disconnects.

    Each event is sent when the client has read the previous ones.
    """
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await _send(send, _KEEP_ALIVE)  # the client knows at once that it is served
    new_context = partial(incoming.new_context, observed)
    stream = operations.stream(incoming.operation, incoming.request, new_context, with_stores=incoming.with_stores)
    hang_up = asyncio.create_task(hung_up(receive))
    code = OK
    try:
        try:
            async with aclosing(_paced(stream, hang_up, incoming)) as paced:
                async for streamed in paced:
                    if streamed is None:
                        await _send(send, _KEEP_ALIVE)
                        continue
                    code = streamed.answer.code
                    observed.used(streamed.ledger)
                    await _send(send, _event(streamed.payload, streamed.event_id))
                    del streamed  # as gateway.http.execution does
        except Refusal as refusal:
            answer = refused(refusal)
            code = answer.code
            await _send(send, _event(answer.encode(), None))
        await _send(send, _COMPLETE)
        await finish(send, hang_up)
    finally:
        hang_up.cancel()
    observed.ended(code)


async def _paced(
    stream: AsyncGenerator[Streamed, None], hang_up: "asyncio.Task[None]", incoming: Incoming
) -> AsyncGenerator[Streamed | None, None]:
    """The answers of the stream, and `None` as a heartbeat after each silence. Raises `HungUp`, and `Refusal` when the
    token has ended.
    """
    expires_at, renew_s = incoming.authenticated.expires_at, incoming.runtime.renew_seconds
    spoken = time.monotonic()
    renew_at = spoken + first_renewal(renew_s)
    following: asyncio.Future[Streamed | None] | None = None
    async with aclosing(stream):
        try:
            while True:
                following = following or asyncio.ensure_future(anext(stream, None))
                left = float("inf") if expires_at is None else expires_at - time.time()
                due = min(spoken + KEEP_ALIVE_SECONDS, renew_at) - time.monotonic()
                wait = max(0.0, min(due, left))
                await asyncio.wait((following, hang_up), timeout=wait, return_when=asyncio.FIRST_COMPLETED)
                if hang_up.done():
                    raise HungUp
                if left <= 0:
                    raise refuse(401, Code.UNAUTHENTICATED, "The bearer token has expired: ask again with a new one.")
                if time.monotonic() >= renew_at:
                    if (refusal := await incoming.refused_by_now()) is not None:
                        raise refusal
                    renew_at = time.monotonic() + renew_s
                silent = not following.done()
                if silent and time.monotonic() - spoken < KEEP_ALIVE_SECONDS:
                    continue
                spoken = time.monotonic()
                if silent:
                    yield None
                    continue
                streamed, following = following.result(), None
                if streamed is None:
                    return
                yield streamed
                del streamed
        finally:
            if following is not None:
                await ended(following)


def _event(payload: bytes, event_id: str | None) -> bytes:
    """The text of one event. orjson writes no line breaks, but JSON from a store may contain some: each line becomes a
    data line.
    """
    lines = [b"event: next"]
    if event_id is not None and not {"\n", "\r", "\0"} & set(event_id):
        lines.append(b"id: " + event_id.encode())
    lines += [b"data: " + line for line in payload.splitlines()]
    return b"\n".join(lines) + b"\n\n"


async def _send(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})
