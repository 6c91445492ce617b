import pyarrow as pa
import pytest

from loaders.description import ColumnType, Kind
from loaders.warehouses.arrow_types import Presentation, presentation

TEXT = ColumnType(Kind.TEXT)


@pytest.mark.parametrize(
    ("arrow", "kind"),
    [
        (pa.bool_(), Kind.BOOLEAN),
        (pa.int8(), Kind.INTEGER),
        (pa.int32(), Kind.INTEGER),
        (pa.uint16(), Kind.INTEGER),
        (pa.uint32(), Kind.BIGINT),
        (pa.int64(), Kind.BIGINT),
        (pa.uint64(), Kind.BIGINT),
        (pa.float32(), Kind.FLOAT),
        (pa.float64(), Kind.FLOAT),
        (pa.decimal32(5, 2), Kind.NUMERIC),
        (pa.decimal128(38, 0), Kind.NUMERIC),
        (pa.decimal256(38, 2), Kind.NUMERIC),
        (pa.string(), Kind.TEXT),
        (pa.large_string(), Kind.TEXT),
        (pa.string_view(), Kind.TEXT),
        (pa.null(), Kind.TEXT),
        (pa.dictionary(pa.int32(), pa.string()), Kind.TEXT),
        (pa.dictionary(pa.int8(), pa.int64()), Kind.BIGINT),
        (pa.run_end_encoded(pa.int32(), pa.string()), Kind.TEXT),
        (pa.binary(), Kind.BYTES),
        (pa.binary(16), Kind.BYTES),
        (pa.uuid(), Kind.UUID),
        (pa.date32(), Kind.DATE),
        (pa.date64(), Kind.DATE),
        (pa.timestamp("ns"), Kind.TIMESTAMP),
        (pa.timestamp("ms", "America/New_York"), Kind.TIMESTAMP),
        (pa.json_(), Kind.JSON),
    ],
)
def test_plain_types(arrow: pa.DataType, kind: Kind) -> None:
    assert presentation(arrow) == Presentation(ColumnType(kind))


@pytest.mark.parametrize("arrow", [pa.time32("s"), pa.time64("ns"), pa.duration("us"), pa.month_day_nano_interval()])
def test_types_without_a_kind_are_text(arrow: pa.DataType) -> None:
    assert presentation(arrow) == Presentation(TEXT, "text")


@pytest.mark.parametrize(
    "arrow",
    [
        pa.struct([("a", pa.int64())]),
        pa.map_(pa.string(), pa.int32()),
        pa.list_(pa.struct([("a", pa.int64())])),
        pa.list_(pa.time32("s")),
        pa.list_(pa.list_(pa.map_(pa.string(), pa.string()))),
    ],
)
def test_composites_are_json(arrow: pa.DataType) -> None:
    assert presentation(arrow) == Presentation(ColumnType(Kind.JSON), "json")


@pytest.mark.parametrize(
    ("arrow", "element"),
    [
        (pa.list_(pa.string()), TEXT),
        (pa.large_list(pa.int64()), ColumnType(Kind.BIGINT)),
        (pa.list_(pa.float32(), 3), ColumnType(Kind.FLOAT)),
        (pa.list_(pa.list_(pa.date32())), ColumnType(Kind.ARRAY, element=ColumnType(Kind.DATE))),
    ],
)
def test_lists_of_scalars_are_arrays(arrow: pa.DataType, element: ColumnType) -> None:
    assert presentation(arrow) == Presentation(ColumnType(Kind.ARRAY, element=element))


@pytest.mark.parametrize(
    "arrow",
    [
        pa.float16(),
        pa.decimal256(39, 2),
        pa.list_(pa.float16()),
        pa.struct([("a", pa.float16())]),
        pa.map_(pa.string(), pa.decimal256(60, 2)),
    ],
)
def test_what_duckdb_cannot_read_is_left_out(arrow: pa.DataType) -> None:
    assert presentation(arrow) is None
