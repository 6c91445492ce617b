"""An Arrow IPC stream decoded as its bytes arrive.

pyarrow only pulls from a blocking file, which would cost a thread per answer; the format is framed, so it is cut here
and each whole message is given to pyarrow (arrow.apache.org/docs/format/Columnar.html, "Encapsulated message format").
"""

import struct
from collections.abc import Iterator
from typing import TypeAlias

import pyarrow as pa

_CONTINUATION = b"\xff\xff\xff\xff"
_HEADER_TYPE_SLOT, _HEADER_SLOT, _BODY_LENGTH_SLOT = 6, 8, 10
"""Where Message.fbs has them in a vtable: 4 bytes of head, 2 for each field before, of which `version` is the first."""
_LENGTH_SLOT = 4
"""Of `RecordBatch`, its first field."""
_RECORD_BATCH = 3
"""In the union `MessageHeader`."""
_Bytes: TypeAlias = bytearray | memoryview


class NotArrow(ValueError):
    """The bytes at this place are no Arrow message."""


class ArrowDecoder:
    """Feed bytes with `feed`, take whole messages with `messages`.

    `ended` turns true at the end-of-stream mark and nothing may follow it. Holds one message and the last piece fed.
    """

    def __init__(self) -> None:
        self.schema: pa.Schema | None = None
        self.ended = False
        self._buffer = bytearray()

    @property
    def remainder(self) -> bytes:
        """What has come and is not decoded: a message cut off, or what a server writes when it breaks an answer off."""
        return bytes(self._buffer)

    def feed(self, piece: bytes) -> None:
        self._buffer += piece

    def messages(self) -> Iterator[pa.Buffer]:
        """The record batch messages that are complete by now. `NotArrow` for anything else than Arrow."""
        while (size := self._next_size()) is not None:
            with memoryview(self._buffer) as view:
                message = bytes(view[:size])
            del self._buffer[:size]
            if size == 8:
                self.ended = True
                if self._buffer:
                    raise NotArrow("bytes after the end of the Arrow stream")
                return
            if self.schema is None:
                self.schema = pa.ipc.read_schema(pa.py_buffer(message))
            else:
                yield pa.py_buffer(message)

    def _next_size(self) -> int | None:
        """Bytes of the message at the front; None when they have not all come."""
        if self.ended and self._buffer:
            raise NotArrow("bytes after the end of the Arrow stream")
        if len(self._buffer) < 8:
            if not _CONTINUATION.startswith(self._buffer[:4]):
                raise NotArrow("no Arrow message where one must begin")
            return None
        if self._buffer[:4] != _CONTINUATION:
            raise NotArrow("no Arrow message where one must begin")
        (metadata,) = struct.unpack_from("<i", self._buffer, 4)
        if metadata == 0:
            return 8
        if metadata < 16:
            raise NotArrow("an Arrow message with broken metadata")
        if len(self._buffer) < 8 + metadata:
            return None
        size = 8 + metadata + _body_length(self._buffer, metadata)
        return size if len(self._buffer) >= size else None


def _body_length(buffer: bytearray, metadata: int) -> int:
    """`Message.bodyLength`; none means 0."""
    try:
        at = _field(buffer, _table(buffer, 8), _BODY_LENGTH_SLOT, end=8 + metadata)
        length: int = struct.unpack_from("<q", buffer, at)[0] if at else 0
    except struct.error as error:
        raise NotArrow("an Arrow message with broken metadata") from error
    if length < 0:
        raise NotArrow("an Arrow message with broken metadata")
    return length


def rows_of(message: pa.Buffer) -> int:
    """How many rows a whole message holds, without decoding it. `NotArrow` for one that is no record batch."""
    buffer = memoryview(message)
    try:
        end = 8 + struct.unpack_from("<i", buffer, 4)[0]
        table = _table(buffer, 8)
        kind = _field(buffer, table, _HEADER_TYPE_SLOT, end=end)
        header = _field(buffer, table, _HEADER_SLOT, end=end)
        if not kind or not header or buffer[kind] != _RECORD_BATCH:
            raise NotArrow("an Arrow message that is no record batch")
        at = _field(buffer, _table(buffer, header), _LENGTH_SLOT, end=end)
        rows: int = struct.unpack_from("<q", buffer, at)[0] if at else 0
    except (struct.error, IndexError) as error:
        raise NotArrow("an Arrow message with broken metadata") from error
    return rows


def _table(buffer: _Bytes, at: int) -> int:
    """The place of the flatbuffer table that the offset at `at` leads to."""
    return at + int(struct.unpack_from("<I", buffer, at)[0])


def _field(buffer: _Bytes, table: int, slot: int, *, end: int) -> int:
    """The place of a table's field, 0 for one that is left out. The slot is its place in the table's vtable."""
    vtable = table - struct.unpack_from("<i", buffer, table)[0]
    if not 8 <= vtable < end or struct.unpack_from("<H", buffer, vtable)[0] <= slot:
        return 0
    offset = int(struct.unpack_from("<H", buffer, vtable + slot)[0])
    return table + offset if offset else 0


def schema_in_utc(schema: pa.Schema) -> pa.Schema:
    """Every instant in the zone UTC: ClickHouse labels a column with the zone of its type."""
    fields = [
        field.with_type(pa.timestamp(field.type.unit, "UTC")) if pa.types.is_timestamp(field.type) else field
        for field in schema
    ]
    return pa.schema(fields, schema.metadata)


def in_utc(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch under `schema_in_utc`; the instants stay as they are and no value is copied."""
    schema = schema_in_utc(batch.schema)
    if schema.equals(batch.schema):
        return batch
    columns = [
        column.view(field.type) if pa.types.is_timestamp(field.type) else column
        for field, column in zip(schema, batch.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
