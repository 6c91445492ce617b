"""Decodes an Arrow IPC stream as its bytes arrive.

pyarrow can only pull from a blocking file, which would cost a thread per answer. The format is framed, so this module
separates the messages and passes whole ones to pyarrow (arrow.apache.org/docs/format/Columnar.html, "Encapsulated
message format").
"""

import struct
from collections.abc import Iterator
from typing import Final

import pyarrow as pa

_CONTINUATION = b"\xff\xff\xff\xff"
_HEADER_TYPE_SLOT, _HEADER_SLOT, _BODY_LENGTH_SLOT = 6, 8, 10
"""Offsets of the fields of `Message` (Message.fbs) in its vtable: 4 bytes of header and 2 for each field before.
`version` is the first field.
"""
_VERSION_SLOT, _V5 = 4, 4
"""The offset of `version`, and its value since Arrow 1.0. Arrow 0.17 had the codec of a batch among the metadata of its
message, where pyarrow still takes it from; all that ClickHouse sends is newer.
"""
_LENGTH_SLOT = 4
"""The offset of `RecordBatch.length`, its first field."""
_RECORD_BATCH = 3
"""The value of `RecordBatch` in the union `MessageHeader`."""
_BUFFERS_SLOT, _COMPRESSION_SLOT = 8, 10
"""Offsets of two further fields of `RecordBatch`."""
MESSAGE_BYTES: Final = 256 << 20
"""The largest message, as received and decompressed. ClickHouse sends blocks of about 65,536 rows, so only values of
megabytes exceed it. A server that is not ClickHouse may announce any length.
"""
_END_SIZE = 8
"""The size of the end-of-stream marker: a continuation marker and a length of 0."""


class NotArrow(ValueError):
    """The bytes are not an Arrow message."""


class MessageTooLarge(ValueError):
    """A message is larger than `MESSAGE_BYTES`."""


class ArrowDecoder:
    """Pass bytes to `feed`, and take whole messages from `messages`.

    `ended` becomes true at the end-of-stream marker, after which nothing may follow. Holds one message and the last
    piece fed. A message within one piece is a slice of it; a message that arrived in several pieces is joined once,
    when its last byte is there.
    """

    def __init__(self) -> None:
        self.schema: pa.Schema | None = None
        self.ended = False
        self._pieces: list[bytes] = []
        self._held = 0
        self._needed = 0
        """How many bytes at the front are needed to learn more about the next message."""

    @property
    def remainder(self) -> bytes:
        """Bytes that were received and not decoded: an incomplete message, or the text a server writes when it aborts
        an answer.
        """
        return b"".join(self._pieces)

    def feed(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self._held += len(piece)

    def messages(self) -> Iterator[pa.Buffer]:
        """The record batch messages that are complete by now. `NotArrow` for any other content.

        `MessageTooLarge` as soon as a message announces that it is too large.
        """
        if self._held < self._needed:
            return
        held = memoryview(self.remainder)
        at = 0
        try:
            while size := self._next_size(held[at:]):
                message = pa.py_buffer(held[at : at + size])
                at += size
                if size == _END_SIZE:
                    self.ended = True
                elif self.schema is None:
                    self.schema = pa.ipc.read_schema(message)
                else:
                    yield message
        finally:
            self._held = len(held) - at
            self._pieces = [bytes(held[at:])] if self._held else []

    def _next_size(self, front: memoryview) -> int:
        """The size of the message at the front; 0 when it is incomplete, in which case `_needed` says how many bytes it
        takes.
        """
        if self.ended and front:
            raise NotArrow("bytes after the end of the Arrow stream")
        if len(front) < 8:
            if not _CONTINUATION.startswith(bytes(front[:4])):
                raise NotArrow("no Arrow message where one must begin")
            self._needed = 0
            return 0
        if front[:4] != _CONTINUATION:
            raise NotArrow("no Arrow message where one must begin")
        (metadata,) = struct.unpack_from("<i", front, 4)
        if metadata == 0:
            return _END_SIZE
        if metadata < 16:
            raise NotArrow("an Arrow message with broken metadata")
        self._needed = 8 + metadata
        if len(front) >= self._needed:
            self._needed += _body_length(front, metadata)
        if self._needed > MESSAGE_BYTES:
            raise MessageTooLarge
        return self._needed if len(front) >= self._needed else 0


def _body_length(buffer: memoryview, metadata: int) -> int:
    """`Message.bodyLength`; absent means 0."""
    try:
        at = _field(buffer, _table(buffer, 8), _BODY_LENGTH_SLOT, end=8 + metadata)
        length: int = struct.unpack_from("<q", buffer, at)[0] if at else 0
    except struct.error as error:
        raise NotArrow("an Arrow message with broken metadata") from error
    if length < 0:
        raise NotArrow("an Arrow message with broken metadata")
    return length


def rows_of(message: pa.Buffer) -> int:
    """The number of rows of a whole message, without decoding it. `NotArrow` when it is not a record batch."""
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


def decoded_size(message: pa.Buffer) -> int:
    """The bytes of a whole message once it is decompressed. `MessageTooLarge` for too many.

    Each compressed buffer begins with its uncompressed size, or -1 when it is stored uncompressed (Message.fbs,
    `BodyCompression`).
    """
    buffer = memoryview(message)
    try:
        end = 8 + struct.unpack_from("<i", buffer, 4)[0]
        table = _table(buffer, 8)
        version = _field(buffer, table, _VERSION_SLOT, end=end)
        if not version or struct.unpack_from("<h", buffer, version)[0] != _V5:
            raise NotArrow("an Arrow message of an old version")
        batch = _table(buffer, _field(buffer, table, _HEADER_SLOT, end=end))
        if not _field(buffer, batch, _COMPRESSION_SLOT, end=end):
            return len(buffer)
        buffers = _table(buffer, _field(buffer, batch, _BUFFERS_SLOT, end=end))
        (count,) = struct.unpack_from("<I", buffer, buffers)
        size = 0
        for offset, length in struct.iter_unpack("<qq", buffer[buffers + 4 : buffers + 4 + 16 * count]):
            if length >= 8:
                size += max(struct.unpack_from("<q", buffer, end + offset)[0], 0)
    except (struct.error, IndexError) as error:
        raise NotArrow("an Arrow message with broken metadata") from error
    if size > MESSAGE_BYTES:
        raise MessageTooLarge
    return size


def _table(buffer: memoryview, at: int) -> int:
    """The position of the flatbuffer table that the offset at `at` points to."""
    return at + int(struct.unpack_from("<I", buffer, at)[0])


def _field(buffer: memoryview, table: int, slot: int, *, end: int) -> int:
    """The position of a table's field, 0 when it is absent. `slot` is its offset in the table's vtable."""
    vtable = table - struct.unpack_from("<i", buffer, table)[0]
    if not 8 <= vtable < end or struct.unpack_from("<H", buffer, vtable)[0] <= slot:
        return 0
    offset = int(struct.unpack_from("<H", buffer, vtable + slot)[0])
    return table + offset if offset else 0


def schema_in_utc(schema: pa.Schema) -> pa.Schema:
    """The schema with every instant in UTC: ClickHouse labels a column with the zone of its type."""
    fields = [
        field.with_type(pa.timestamp(field.type.unit, "UTC")) if pa.types.is_timestamp(field.type) else field
        for field in schema
    ]
    return pa.schema(fields, schema.metadata)


def in_utc(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with the schema of `schema_in_utc`. The instants are the same and no value is copied."""
    schema = schema_in_utc(batch.schema)
    if schema.equals(batch.schema):
        return batch
    columns = [
        column.view(field.type) if pa.types.is_timestamp(field.type) else column
        for field, column in zip(schema, batch.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
