"""Arrow answers, for requests with `Accept: application/vnd.apache.arrow.stream`.

The document is executed as usual, but its one list is captured instead of answered (resolvers/capture.py), and its
record batches are sent as one Arrow IPC stream while they arrive from the store. Backpressure reaches the store, and a
client that disconnects cancels the query. If the store fails midway the connection is aborted, so that a partial stream
never looks complete.
"""

import inspect
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import aclosing, contextmanager
from typing import Any, NoReturn

from starlette.types import Receive, Send

from gateway.http.allowed import until_lost
from gateway.http.answer import OK
from gateway.http.incoming import Incoming
from gateway.http.media_type import MediaType
from gateway.http.operations import Operations
from gateway.http.refusal import refuse
from gateway.http.respond import respond
from gateway.http.running import StreamBroken, send_while_read, while_waited_for
from gateway.http.unbroken import unbroken
from loaders.encode.ipc import Chunk
from loaders.errors import AxionError, StoreError
from resolvers.capture import Capture
from resolvers.context import Context

_HEADERS = [
    (b"content-type", MediaType.ARROW.value.encode()),
    (b"cache-control", b"no-store"),
    (b"vary", b"accept"),
]


async def arrow_response(
    operations: Operations, incoming: Incoming, context: Context, receive: Receive, send: Send
) -> str:
    """Sends the answer and returns the code it is counted under.

    Raises `Refusal`, `HungUp` or `Broken` before anything was sent. A failure after the first batch is raised as
    `StreamBroken`, with the response left unfinished.
    """
    context.capture = capture = Capture()
    timeout_ms = operations.limits.request_timeout_ms
    with unbroken(incoming.request_id):
        answer = operations.run(incoming.operation, incoming.request, context)
        if inspect.isawaitable(answer):
            answer = await while_waited_for(answer, receive, timeout_ms=timeout_ms)
        refused = None if answer.code == OK else answer.encode()
    if refused is not None:
        await respond(send, 400, refused, MediaType.JSON)
        return answer.code
    with _told(incoming.request_id):
        stream = capture.one().chunks(context.ledger, compressed=incoming.takes_compressed)
    async with aclosing(stream) as chunks:
        with _told(incoming.request_id):
            first = await while_waited_for(anext(chunks), receive, timeout_ms=timeout_ms)
        lost = until_lost(
            context, incoming.authenticated, incoming.refused_by_now, every_s=incoming.runtime.renew_seconds
        )
        await _send_while_read(_send(first, chunks, send), receive, send, lost=lost)
    return OK


@contextmanager
def _told(request_id: str) -> Iterator[None]:
    """A context manager for what happens before anything was sent: failures become `Refusal`, or `Broken` if nobody
    foresaw them.
    """
    with unbroken(request_id):
        try:
            yield
        except StoreError as error:
            raise refuse(503, error.code, str(error), store=error.store) from error
        except AxionError as error:
            raise refuse(400, error.code, str(error)) from error


async def _send_while_read(
    sending: Coroutine[Any, Any, None], receive: Receive, send: Send, *, lost: Coroutine[Any, Any, NoReturn]
) -> None:
    try:
        await send_while_read(sending, receive, send, lost=lost)
    except AxionError as error:
        raise StreamBroken from error


async def _send(first: Chunk, rest: AsyncIterator[Chunk], send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": first, "more_body": True})
    async for chunk in rest:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
