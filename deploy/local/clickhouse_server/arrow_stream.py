"""Joins many complete Arrow IPC streams to the bytes of one.

chDB formats every block of a streamed query separately: each is a schema message, dictionaries, record batches and an
end-of-stream marker. The format (arrow.apache.org/docs/format/Columnar.html, "IPC Streaming Format") frames a message
as `FFFFFFFF`, an int32 length of the metadata (padded to 8), the metadata, and the body. A schema message has no body,
so the batches of a chunk begin right after its metadata, and nothing has to be decoded to join them.
"""

import struct

_CONTINUATION = b"\xff\xff\xff\xff"
END_OF_STREAM = _CONTINUATION + b"\x00\x00\x00\x00"


class ArrowSplice:
    """Feed chunks in order with `add`; write `END_OF_STREAM` yourself after the last one, and only then."""

    def __init__(self) -> None:
        self._schema: bytes | None = None

    def add(self, chunk: bytes | memoryview) -> bytes:
        """The chunk without its end mark, and without its schema unless it is the first.

        `ValueError` when the chunk is no complete stream or its schema differs from the first one's.
        """
        view = memoryview(chunk)
        if len(view) < 16 or view[:4] != _CONTINUATION or view[-8:] != END_OF_STREAM:
            raise ValueError("the engine's chunk is not a complete Arrow stream")
        (metadata,) = struct.unpack_from("<i", view, 4)
        start = 8 + metadata
        if not 0 < metadata <= len(view) - 16:
            raise ValueError("the engine's chunk has a broken Arrow schema message")
        schema = bytes(view[:start])
        if self._schema is None:
            self._schema = schema
            return bytes(view[:-8])
        if schema != self._schema:
            raise ValueError("the schema of the answer changed between two chunks")
        return bytes(view[start:-8])
