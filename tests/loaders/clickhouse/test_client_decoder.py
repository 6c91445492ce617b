"""The incremental Arrow decoder, on streams that pyarrow wrote and on broken ones."""

import pyarrow as pa
import pytest

from loaders.clickhouse.arrow_decoder import (
    MESSAGE_BYTES,
    ArrowDecoder,
    MessageTooLarge,
    NotArrow,
    decoded_size,
    in_utc,
    rows_of,
)
from loaders.clickhouse.errors import broken_off
from loaders.errors import StoreQueryFailed, StoreTimeout, StoreUnavailable

TABLE = pa.table({"a": pa.array(range(1000), pa.int64()), "s": [str(n) if n % 3 else None for n in range(1000)]})


def _stream(table: pa.Table, compression: str | None = None, *, chunk: int = 300) -> bytes:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=chunk)
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


def _announcing(content: bytes, length: int, announced: int) -> bytes:
    """The stream with each number of 64 bits that is `length` replaced."""
    return content.replace(length.to_bytes(8, "little"), announced.to_bytes(8, "little"))


@pytest.mark.parametrize("announced", [MESSAGE_BYTES + 1, 1 << 40])
def test_a_message_that_announces_too_much_is_refused_before_it_comes(announced: int) -> None:
    rows = 304  # in a body of a multiple of 64 bytes, so that it is not padded
    content = _announcing(_stream(pa.table({"a": pa.array(range(rows), pa.int64())}), chunk=rows), rows * 8, announced)
    decoder = ArrowDecoder()
    with pytest.raises(MessageTooLarge):
        _decoded(decoder, content[: -rows * 8], 64)


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_a_batch_that_is_too_large_decompressed_is_refused(compression: str) -> None:
    zeros = pa.table({"z": pa.repeat(pa.scalar(0, pa.int64()), 200_000)})
    decoder = ArrowDecoder()
    decoder.feed(_stream(zeros, compression, chunk=200_000))
    (message,) = decoder.messages()
    assert message.size < 1 << 20 < decoded_size(message)
    decoder = ArrowDecoder()
    decoder.feed(_announcing(_stream(zeros, compression, chunk=200_000), 1_600_000, MESSAGE_BYTES + 1))
    (message,) = decoder.messages()
    with pytest.raises(MessageTooLarge):
        decoded_size(message)


def test_a_message_whose_codec_may_stand_elsewhere_is_refused() -> None:
    """As Arrow 0.17 had it, and pyarrow still reads: 30 kB became a gigabyte, past the bound."""
    for version, is_new in ((pa.ipc.MetadataVersion.V5, True), (pa.ipc.MetadataVersion.V4, False)):
        sink = pa.BufferOutputStream()
        options = pa.ipc.IpcWriteOptions(metadata_version=version)
        with pa.ipc.new_stream(sink, TABLE.schema, options=options) as writer:
            writer.write_table(TABLE)
        decoder = ArrowDecoder()
        decoder.feed(sink.getvalue().to_pybytes())
        (message,) = decoder.messages()
        if is_new:
            assert decoded_size(message) == message.size
            continue
        with pytest.raises(NotArrow, match="old version"):
            decoded_size(message)


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
