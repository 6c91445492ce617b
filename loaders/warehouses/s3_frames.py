"""The protocol of a query process's stdout: frames of a kind (one byte), a length and that many bytes.

b   rows: a whole Arrow IPC stream of one record batch
e   the end: the answer is complete
f   the failure the query ended with, in place of the end: class, store, message, and its cause
d   a defect of the gateway: the name of the exception's class
"""

import struct
from typing import IO, Final

import duckdb
import orjson
import pyarrow as pa

from loaders.errors import (
    AxionError,
    Cancelled,
    StoreCredentialsRejected,
    StoreError,
    StoreQueryFailed,
    StoreTimeout,
    StoreUnavailable,
    UnknownTable,
)

ROWS: Final = b"b"
END: Final = b"e"
FAILURE: Final = b"f"
DEFECT: Final = b"d"
MAX_BYTES: Final = 64 << 20
"""The largest frame. A row of an answer larger than this is refused."""
_LONGEST_CAUSE: Final = 2_000
_HEAD = struct.Struct("!cQ")
_OF_STORES: Final = {
    kind.__name__: kind
    for kind in (Cancelled, StoreCredentialsRejected, StoreQueryFailed, StoreTimeout, StoreUnavailable)
}


class Cut(Exception):
    """The frames ended before the answer was complete."""


def write(out: IO[bytes], kind: bytes, payload: bytes | pa.Buffer = b"") -> None:
    """Blocks while the reader does not read."""
    out.write(_HEAD.pack(kind, len(payload)))
    out.write(payload)
    out.flush()


def read(source: IO[bytes]) -> tuple[bytes, bytes]:
    """Reads the next frame: its kind and payload. `Cut` when there is none."""
    kind, length = _HEAD.unpack(_read(source, _HEAD.size))
    if length > MAX_BYTES:
        raise Cut
    return kind, _read(source, length)


def _read(source: IO[bytes], length: int) -> bytes:
    found = source.read(length)
    if len(found) < length:
        raise Cut
    return found


def rows_of(batch: pa.RecordBatch) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue()


def batch_of(payload: bytes) -> pa.RecordBatch:
    with pa.ipc.open_stream(payload) as reader:
        return reader.read_next_batch()


def failure_of(error: AxionError) -> bytes:
    """Encodes an error that a warehouse is documented to raise."""
    cause = error.__cause__
    store = error.store if isinstance(error, StoreError) else None
    return orjson.dumps([type(error).__name__, store, str(error), type(cause).__name__, str(cause)[:_LONGEST_CAUSE]])


def error_of(payload: bytes) -> AxionError:
    """Decodes a failure, with its cause where that has the engine's message."""
    name, store, message, cause, said = orjson.loads(payload)
    error = UnknownTable(message) if store is None else _OF_STORES[name](store, message)
    kind = OSError if cause == "OSError" else getattr(duckdb, cause, None)
    if isinstance(kind, type) and issubclass(kind, OSError | duckdb.Error):
        error.__cause__ = kind(said)
    return error
