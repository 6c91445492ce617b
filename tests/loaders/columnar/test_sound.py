"""A record batch is only read where all of its values are within it."""

from collections.abc import Sequence

import pyarrow as pa
import pytest

from loaders.clickhouse.arrow_decoder import ArrowDecoder
from loaders.clickhouse.encoded import EncodedBatch
from loaders.columnar.sound import MOST_ROWS, UnsoundBatch, sound
from loaders.errors import StoreUnavailable
from tests.loaders.columnar.test_batch_size import views


def text(offsets: Sequence[int], data: bytes = b"abc", *, type_: pa.DataType | None = None) -> pa.Array:
    width = pa.int64() if type_ == pa.large_string() else pa.int32()
    buffers = [None, pa.array(offsets, width).buffers()[1], pa.py_buffer(data)]
    return pa.Array.from_buffers(type_ or pa.string(), len(offsets) - 1, buffers)


def listed(offsets: Sequence[int], values: pa.Array) -> pa.Array:
    buffers = [None, pa.array(offsets, pa.int32()).buffers()[1]]
    return pa.Array.from_buffers(pa.list_(values.type), len(offsets) - 1, buffers, children=[values])


WHOLE = pa.record_batch([pa.array([f"text {n}" for n in range(100)])], ["a"])
OPAQUE = pa.ExtensionArray.from_storage(
    pa.opaque(pa.dictionary(pa.int32(), pa.string()), "a", "b"), pa.array(["a"]).dictionary_encode()
)


@pytest.mark.parametrize(
    "column",
    [
        text([0, 100, 3]),
        text([0, 100, 3], type_=pa.large_string()),
        text([0, 100, 3], type_=pa.binary()),
        listed([0, 100, 1], pa.array([1])),
        listed([0, 2], text([0, 100, 3])),
        pa.DictionaryArray.from_arrays(pa.array([7], pa.int8()), pa.array(["a"]), safe=False),
        pa.DictionaryArray.from_arrays(pa.array([0], pa.int8()), text([0, 100, 3]), safe=False),
        pa.StructArray.from_arrays([text([0, 100, 3])], ["inner"]),
        pa.MapArray.from_arrays([0, 2], text([0, 100, 3]), pa.array([1, 2])),
        listed([0, 2], pa.StructArray.from_arrays([text([0, 100, 3])], ["inner"])),
        pa.nulls(MOST_ROWS + 1),
        pa.DictionaryArray.from_arrays(pa.array([0] * 1_000, pa.int16()), pa.array(["x" * 1_000_000])),
        views(b"x" * 1_000_000, 1_000),
        pa.ExtensionArray.from_storage(pa.json_(pa.string_view()), views(b"x" * 1_000_000, 1_000)),
        listed([0, *[1_000] * 1_000], views(b"x" * 1_000_000, 1_000)),
        pa.RunEndEncodedArray.from_arrays(pa.array([1_000], pa.int32()), pa.array(["x" * 1_000_000])),
        pa.RunEndEncodedArray.from_arrays(pa.array([1], pa.int32()), pa.array(["x"], pa.string_view())),
        pa.ListViewArray.from_arrays([0] * 1_000, [1_000_000] * 1_000, pa.array([True] * 1_000_000)),
        pa.StructArray.from_arrays([text([0, 100, 3]), pa.nulls(2)], ["text", "null"])[1:],
        listed([0, 2], pa.StructArray.from_arrays([text([0, 100, 3]), pa.nulls(2)], ["text", "null"])),
    ],
)
def test_what_leads_out_of_its_buffers_is_refused(column: pa.Array) -> None:
    with pytest.raises(UnsoundBatch):
        sound(pa.record_batch([pa.nulls(len(column)), column], ["a", "b"]))


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["a", None, ""]),
        pa.array([["a"], None, []]),
        pa.array(["a", None, "a"]).dictionary_encode(),
        pa.array([{"inner": "é"}]),
        pa.nulls(3),
        text([0, 1], b"\xff"),
        text([0, 1], b"\xff", type_=pa.large_string()),
        views(b"\xff" * 20, 2),
        pa.array(["a", None], pa.string_view())[1:],
        pa.array([{"inner": "a"}], pa.struct([("inner", pa.string_view())])),
        pa.ExtensionArray.from_storage(pa.json_(pa.string_view()), pa.array(["1"], pa.string_view())),
        pa.RunEndEncodedArray.from_arrays(pa.array([2], pa.int32()), pa.array(["a"])),
        pa.DictionaryArray.from_arrays(pa.array([0], pa.int8()), text([0, 1], b"\xff")),
        listed([0, 1], text([0, 1], b"\xff")),
        listed([0, 1], pa.StructArray.from_arrays([text([0, 1], b"\xff")], ["inner"])),
        pa.LargeListArray.from_arrays([0, 1], text([0, 1], b"\xff")),
        pa.FixedSizeListArray.from_arrays(text([0, 1], b"\xff"), 1),
        pa.MapArray.from_arrays([0, 1], text([0, 1], b"\xff"), pa.array([1])),
        pa.array(["a", "b", "c"])[1:],
        pa.array([b"0123456789abcdef"], pa.uuid()),
        pa.array([{"text": "a", "null": None}] * 3)[1:],
        listed([0, 1], pa.StructArray.from_arrays([pa.array(["a"]), OPAQUE], ["text", "opaque"])),
    ],
)
def test_what_is_sound_is_as_it_was(column: pa.Array) -> None:
    batch = pa.record_batch([column], ["a"])
    assert sound(batch) is batch


def compressed(batch: pa.RecordBatch) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_batch(batch)
    decoder = ArrowDecoder()
    decoder.feed(sink.getvalue().to_pybytes())
    (message,) = decoder.messages()
    return message


@pytest.mark.parametrize(
    ("sent", "other"),
    [
        (pa.record_batch([text([0, 100, 3])], ["a"]).serialize(), ()),
        (compressed(WHOLE), ((-16, b"\xff" * 8),)),
        (WHOLE.serialize(), ((12, b"\xff" * 8),)),
        (WHOLE.serialize().slice(0, 200), ()),
    ],
    ids=["values beyond", "no LZ4", "no flatbuffer", "cut off"],
)
async def test_a_broken_batch_of_clickhouse_is_not_read(sent: pa.Buffer, other: Sequence[tuple[int, bytes]]) -> None:
    message = bytearray(sent.to_pybytes())
    for at, data in other:
        at %= len(message)
        message[at : at + len(data)] = data
    with pytest.raises(StoreUnavailable):
        await EncodedBatch("clickhouse", WHOLE.schema, pa.py_buffer(bytes(message))).decoded()
