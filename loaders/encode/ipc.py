"""Record batches as the bytes of one Arrow IPC stream."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final, TypeAlias

import pyarrow as pa

Chunk: TypeAlias = bytes | memoryview

END: Final = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""The end-of-stream marker. A stream without it was cut off."""
_CHUNK_BYTES = 32 << 10
"""Smaller pieces are joined to one chunk: a chunk costs a system call, which is more than copying 32 kB."""


async def ipc_stream(batches: AsyncIterator[pa.RecordBatch]) -> AsyncGenerator[Chunk, None]:
    """Yields the schema, every batch in one or more chunks, and the end marker. Needs at least one batch. Columns are
    not copied.
    """
    sink = _Chunks()
    writer: pa.RecordBatchStreamWriter | None = None
    async for batch in batches:
        if writer is None:
            writer = pa.ipc.new_stream(pa.PythonFile(sink, "w"), batch.schema)
        writer.write_batch(batch)
        for chunk in sink.take():
            yield chunk
    if writer is not None:
        writer.close()
    for chunk in sink.take():
        yield chunk


class _Chunks:
    """A file object that collects what was written: large buffers are kept as they are, small ones joined."""

    closed = False

    def __init__(self) -> None:
        self._chunks: list[Chunk] = []
        self._small: list[bytes | pa.Buffer] = []
        self._size = 0

    def write(self, data: bytes | pa.Buffer) -> int:
        """pyarrow passes small pieces as `bytes` and columns as buffers, which stay valid while they are referenced."""
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
        """Does nothing, since nothing is buffered."""

    def take(self) -> list[Chunk]:
        self._join()
        chunks, self._chunks = self._chunks, []
        return chunks

    def _join(self) -> None:
        if self._small:
            self._chunks.append(b"".join(self._small))
            self._small, self._size = [], 0
