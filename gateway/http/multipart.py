"""Answers in parts over HTTP as `multipart/mixed`. Each part is sent as soon as it exists, together with the boundary
that ends it.

https://github.com/graphql/graphql-over-http/blob/main/rfcs/IncrementalDelivery.md. JSON contains no line that begins
like the boundary. Since each part has its length and is followed by its boundary, clients that parse by lines and
clients that parse by length both get it before the next one exists.
"""

import asyncio
from time import perf_counter

from starlette.types import Receive, Send

from gateway.http.body import HungUp, hung_up
from gateway.http.media_type import Parts
from gateway.http.parts import InParts, Part
from gateway.http.refusal import Refusal
from gateway.http.respond import finish
from gateway.http.running import ended

_PART = b"content-type: application/json; charset=utf-8\r\ncontent-length: %d\r\n\r\n"
_MORE = b"\r\n---\r\n"
_LAST = b"\r\n-----\r\n"


async def send_parts(
    parts: InParts, first: Part, receive: Receive, send: Send, *, ends: float, timed_out: Refusal
) -> None:
    """Sends all parts; raises `HungUp` when the client disconnects. What has not arrived when `perf_counter` reaches
    `ends` is cancelled and answered as timed out.

    The next part is asked for when the client has read the previous ones.
    """
    hang_up = asyncio.create_task(hung_up(receive))
    part = first
    try:
        await _start(send, parts.form)
        await _send(send, part)
        while not part.is_last:
            following = asyncio.ensure_future(parts.next())
            left = max(0.0, ends - perf_counter())
            try:
                await asyncio.wait((following, hang_up), timeout=left, return_when=asyncio.FIRST_COMPLETED)
                if hang_up.done():
                    raise HungUp
                is_late = not following.done()
            finally:
                if not following.done():
                    await ended(following)
            part = parts.refused(timed_out) if is_late else following.result()
            await _send(send, part)
        await finish(send, hang_up)
    finally:
        hang_up.cancel()
        await parts.close()


async def send_only_part(body: bytes, form: Parts, receive: Receive, send: Send) -> None:
    """Sends a single JSON object to a client that accepts nothing but `multipart/mixed`. Raises `HungUp`."""
    hang_up = asyncio.create_task(hung_up(receive))
    try:
        await _start(send, form)
        await _send(send, Part(body.rstrip()[:-1] + b',"hasNext":false}', is_last=True))
        await finish(send, hang_up)
    finally:
        hang_up.cancel()


async def _start(send: Send, form: Parts) -> None:
    parameter = "deferSpec" if form is Parts.BY_PATH else "incrementalSpec"
    headers = [
        (b"content-type", f'multipart/mixed; boundary="-"; {parameter}={form}'.encode()),
        (b"cache-control", b"no-store"),
        (b"vary", b"accept"),
        (b"x-accel-buffering", b"no"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"---\r\n", "more_body": True})


async def _send(send: Send, part: Part) -> None:
    body = _PART % len(part.body) + part.body + (_LAST if part.is_last else _MORE)
    await send({"type": "http.response.body", "body": body, "more_body": True})
