"""Arrow answers: the same document with `Accept: application/vnd.apache.arrow.stream`.

The document is executed as always, but its one list is captured instead of answered (resolvers/capture.py), and its
record batches are sent as they come from the store: one IPC stream, a slow reader slows the store, a reader that leaves
cancels the query. A store that fails in the middle breaks the connection, so the stream never looks whole.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator
from contextlib import aclosing

import pyarrow as pa
from starlette.types import Receive, Send

from gateway.http.answer import OK
from gateway.http.body import HungUp
from gateway.http.incoming import Incoming
from gateway.http.media_type import MediaType
from gateway.http.operations import Operations
from gateway.http.refusal import refuse
from gateway.http.respond import respond
from gateway.http.running import ended, hung_up, while_waited_for
from loaders.columnar.stream import stream_arrow
from loaders.errors import AxionError, StoreError
from resolvers.capture import Capture
from resolvers.context import Context

_HEADERS = [
    (b"content-type", MediaType.ARROW.value.encode()),
    (b"cache-control", b"no-store"),
    (b"vary", b"accept"),
]
_CHUNK_BYTES = 32 << 10
"""What is smaller is joined: a chunk costs a system call, a copy of 32 kB less than that."""


async def arrow_response(
    operations: Operations, incoming: Incoming, context: Context, receive: Receive, send: Send
) -> str:
    """Answers the request; the code it is counted under. Raises `Refusal` and `HungUp` before anything is sent.

    A failure after the first batch is raised as it is, with the response left unfinished.
    """
    context.capture = capture = Capture()
    answer = operations.run(incoming.operation, incoming.request, context)
    if inspect.isawaitable(answer):
        answer = await while_waited_for(answer, receive, timeout_ms=operations.limits.request_timeout_ms)
    if answer.code != OK:
        await respond(send, 400, answer.encode(), MediaType.JSON)
        return answer.code
    try:
        captured = capture.one()
        async with aclosing(stream_arrow(captured.read, captured.source, context.ledger)) as batches:
            first = await while_waited_for(anext(batches), receive, timeout_ms=operations.limits.request_timeout_ms)
            await _send_while_read(_ipc(first, batches), receive, send)
    except StoreError as error:
        raise refuse(503, error.code, str(error), store=error.store) from error
    except AxionError as error:
        raise refuse(400, error.code, str(error)) from error
    return OK


async def _send_while_read(chunks: AsyncIterator[bytes | memoryview], receive: Receive, send: Send) -> None:
    sending = asyncio.create_task(_send(chunks, send))
    leaving = asyncio.create_task(hung_up(receive))
    try:
        await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not sending.done():
            raise HungUp
        try:
            sending.result()
        except AxionError as error:
            raise StreamBroken from error
    finally:
        leaving.cancel()
        await ended(sending)


class StreamBroken(Exception):
    """The store failed after a part of its answer was sent: the connection is broken off."""


async def _send(chunks: AsyncIterator[bytes | memoryview], send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    async for chunk in chunks:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _ipc(first: pa.RecordBatch, rest: AsyncIterator[pa.RecordBatch]) -> AsyncIterator[bytes | memoryview]:
    """One Arrow IPC stream: the schema, every batch in some chunks, the end. Columns are not copied."""
    sink = _Chunks()
    writer = pa.ipc.new_stream(pa.PythonFile(sink, "w"), first.schema)
    writer.write_batch(first)
    for chunk in sink.take():
        yield chunk
    async for batch in rest:
        writer.write_batch(batch)
        for chunk in sink.take():
            yield chunk
    writer.close()
    for chunk in sink.take():
        yield chunk


class _Chunks:
    """A file that hands over what was written since the last time: large buffers as they are, small ones joined."""

    closed = False

    def __init__(self) -> None:
        self._chunks: list[bytes | memoryview] = []
        self._small: list[bytes | pa.Buffer] = []
        self._size = 0

    def write(self, data: bytes | pa.Buffer) -> int:
        """pyarrow gives `bytes` of its own making, and columns as buffers that stay as long as they are held."""
        size = len(data)
        if size >= _CHUNK_BYTES:
            self._join()
            self._chunks.append(memoryview(data))
        else:
            self._small.append(data)
            self._size += size
            if self._size >= _CHUNK_BYTES:
                self._join()
        return size

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> list[bytes | memoryview]:
        self._join()
        chunks, self._chunks = self._chunks, []
        return chunks

    def _join(self) -> None:
        if self._small:
            self._chunks.append(b"".join(self._small))
            self._small, self._size = [], 0
