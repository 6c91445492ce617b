"""An Arrow IPC stream decoded as its bytes arrive.

pyarrow only pulls from a blocking file, which would cost a thread per answer; the format is framed, so it is cut here
and each whole message is given to pyarrow (arrow.apache.org/docs/format/Columnar.html, "Encapsulated message format").
"""

import struct
from collections.abc import Iterator

import pyarrow as pa

_CONTINUATION = b"\xff\xff\xff\xff"
_BODY_LENGTH_SLOT = 10
"""Where Message.fbs has `bodyLength` (its fourth field) in a vtable: 4 bytes of head, 2 for each field before it."""


class NotArrow(ValueError):
    """The bytes at this place are no Arrow message."""


class ArrowDecoder:
    """Feed bytes with `feed`, take whole messages with `messages`, decode record batches with `decode`.

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

    def decode(self, message: pa.Buffer) -> pa.RecordBatch:
        """Takes time in proportion to the message: large ones belong into a thread."""
        if self.schema is None:
            raise NotArrow("a record batch before the schema")
        try:
            return pa.ipc.read_record_batch(message, self.schema)
        except pa.ArrowInvalid as error:
            raise NotArrow(str(error)) from error

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
    """One field of the flatbuffer: root table, its vtable, the field's offset in the table (none means 0)."""
    try:
        table = 8 + struct.unpack_from("<I", buffer, 8)[0]
        vtable = table - struct.unpack_from("<i", buffer, table)[0]
        if not 8 <= vtable < 8 + metadata or struct.unpack_from("<H", buffer, vtable)[0] <= _BODY_LENGTH_SLOT:
            return 0
        field = struct.unpack_from("<H", buffer, vtable + _BODY_LENGTH_SLOT)[0]
        length: int = struct.unpack_from("<q", buffer, table + field)[0] if field else 0
    except struct.error as error:
        raise NotArrow("an Arrow message with broken metadata") from error
    if length < 0:
        raise NotArrow("an Arrow message with broken metadata")
    return length


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
