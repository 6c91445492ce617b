"""Columns of raw SQL whose type ClickHouse's Arrow output does not show."""

import pyarrow as pa

from loaders.warehouses.clickhouse_raw import hides_types, typed
from loaders.warehouses.clickhouse_types import parse


def test_a_float_of_two_bytes_is_a_number() -> None:
    batch = pa.record_batch({"half": pa.array([b"\x00\xbf", None, b"\x80\x7f"], pa.binary())})
    assert hides_types(batch.schema)
    assert typed(batch, {"half": parse("Nullable(BFloat16)")}).column("half").to_pylist() == [-0.5, None, float("inf")]
