"""The incremental Arrow decoder, on streams that pyarrow wrote and on broken ones."""

import pyarrow as pa
import pytest

from loaders.clickhouse.arrow_decoder import ArrowDecoder, NotArrow, in_utc, rows_of
from loaders.clickhouse.errors import broken_off
from loaders.errors import StoreQueryFailed, StoreTimeout, StoreUnavailable

TABLE = pa.table({"a": pa.array(range(1000), pa.int64()), "s": [str(n) if n % 3 else None for n in range(1000)]})


def _stream(table: pa.Table, compression: str | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=300)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _decoded(decoder: ArrowDecoder, content: bytes, piece: int) -> list[pa.RecordBatch]:
    batches = []
    for at in range(0, len(content), piece):
        decoder.feed(content[at : at + piece])
        for message in decoder.messages():
            batch = pa.ipc.read_record_batch(message, decoder.schema)
            assert rows_of(message) == batch.num_rows
            batches.append(batch)
    return batches


@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
@pytest.mark.parametrize("piece", [1, 7, 4096, 1 << 20])
def test_any_cut(piece: int, compression: str | None) -> None:
    decoder = ArrowDecoder()
    batches = _decoded(decoder, _stream(TABLE, compression), piece)
    assert len(batches) == 4
    assert pa.Table.from_batches(batches) == TABLE
    assert decoder.ended


@pytest.mark.parametrize("kept", [0, 4, 8, 100, 2000, -1, -8])
def test_a_cut_off_stream_has_not_ended(kept: int) -> None:
    decoder = ArrowDecoder()
    content = _stream(TABLE)
    _decoded(decoder, content[: kept if kept >= 0 else len(content) + kept], 64)
    assert not decoder.ended


@pytest.mark.parametrize(
    "content", [b"Code: 1", b"x", b"\xff\xff\xff\xff\x01\x00\x00\x00", b"\xff\xff\xff\xff" + b"\xff" * 40]
)
def test_what_is_no_arrow(content: bytes) -> None:
    with pytest.raises(NotArrow):
        _decoded(ArrowDecoder(), content, 1 << 20)


@pytest.mark.parametrize("piece", [1, 1 << 20])
def test_nothing_follows_the_end(piece: int) -> None:
    with pytest.raises(NotArrow, match="after the end"):
        _decoded(ArrowDecoder(), _stream(TABLE) + _stream(TABLE), piece)


def test_zones_become_utc_without_moving_instants() -> None:
    berlin = pa.array([0, None, 1], pa.timestamp("ms", "Europe/Berlin"))
    batch = in_utc(pa.record_batch({"t": berlin, "n": pa.array([1, 2, 3])}))
    assert batch.schema.field("t").type == pa.timestamp("ms", "UTC")
    assert batch["t"].cast(pa.int64()).to_pylist() == [0, None, 1]
    assert in_utc(batch) is batch


@pytest.mark.parametrize(
    ("remainder", "kind", "says"),
    [
        (b"", StoreUnavailable, "broke its answer off"),
        (b"\xff\xff\xff\xff half a message", StoreUnavailable, "broke its answer off"),
        (b"\r\n__exception__\r\nabcd\r\nCode: 395. DB::Exception: x (y). (SOME_NAME) (version 1)\n58 abcd"
         b"\r\n__exception__\r\n",
         StoreQueryFailed, "SOME_NAME, code 395"),
        (b"junk\r\n__exception__\r\nabcd\r\nCode: 159. DB::Exception: x. (TIMEOUT_EXCEEDED) (version 1)\n58 abcd",
         StoreTimeout, "TIMEOUT_EXCEEDED, code 159"),
        (b"Code: 60. DB::Exception: x. (UNKNOWN_TABLE)", StoreQueryFailed, "UNKNOWN_TABLE, code 60"),
        (b"data with Code: 60. DB::Exception: x. (UNKNOWN_TABLE)", StoreUnavailable, "broke its answer off"),
    ],
)  # fmt: skip
def test_reasons_of_broken_answers(remainder: bytes, kind: type[Exception], says: str) -> None:
    error = broken_off("clickhouse", remainder)
    assert type(error) is kind
    assert says in str(error)
