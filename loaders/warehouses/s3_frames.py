"""What the process of a query answers on its stdout: frames of a kind, a length and so many bytes.

b   rows: a whole Arrow IPC stream of one record batch
e   the end: the answer is whole
f   the failure the query ended with, instead of its end: class, store and message, and what caused it
d   a defect of ours: the name of the exception's class
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
"""Of a frame. No row of an answer is larger."""
_LONGEST_CAUSE: Final = 2_000
_HEAD = struct.Struct("!cQ")
_OF_STORES: Final = {
    kind.__name__: kind
    for kind in (Cancelled, StoreCredentialsRejected, StoreQueryFailed, StoreTimeout, StoreUnavailable)
}


class Cut(Exception):
    """The frames ended before the answer did."""


def write(out: IO[bytes], kind: bytes, payload: bytes | pa.Buffer = b"") -> None:
    """Waits while nobody reads."""
    out.write(_HEAD.pack(kind, len(payload)))
    out.write(payload)
    out.flush()


def read(source: IO[bytes]) -> tuple[bytes, bytes]:
    """The kind of the next frame, and what is in it. `Cut`."""
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
    """Of an error that a warehouse promises."""
    cause = error.__cause__
    store = error.store if isinstance(error, StoreError) else None
    return orjson.dumps([type(error).__name__, store, str(error), type(cause).__name__, str(cause)[:_LONGEST_CAUSE]])


def error_of(payload: bytes) -> AxionError:
    """With its cause, where that has words of the engine."""
    name, store, message, cause, said = orjson.loads(payload)
    error = UnknownTable(message) if store is None else _OF_STORES[name](store, message)
    kind = OSError if cause == "OSError" else getattr(duckdb, cause, None)
    if isinstance(kind, type) and issubclass(kind, OSError | duckdb.Error):
        error.__cause__ = kind(said)
    return error
