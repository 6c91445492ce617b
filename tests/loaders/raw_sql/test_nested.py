"""Every value of an answer has a JSON form: none is lost, and none appears in Python's notation."""

from collections.abc import AsyncGenerator, Mapping

import duckdb
import orjson
import pyarrow as pa
import pytest

from loaders.errors import BadInput
from loaders.raw_sql.answer import collect_rows
from loaders.raw_sql.nested import parts


def asked(value: str) -> pa.Array:
    with duckdb.connect(config={"threads": "1"}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.sql(f"SELECT {value} AS v").to_arrow_reader(10).read_next_batch().column(0)


SHOWN: Mapping[str, object] = {
    "MAP {1.5: [1, 2]}": {"1.5": [1, 2]},
    "MAP {[1]: 2, [3]: NULL}": [[[1], 2], [[3], None]],
    "MAP {{'a': 1}: 2}": [[{"a": 1}, 2]],
    "MAP {true: 1, false: 2}": {"true": 1, "false": 2},
    "MAP {7: 'x'}": {"7": "x"},
    "{'a': '\\xff'::BLOB, 'b': NULL, 'c': [NULL, 'x']}": {"a": "/w==", "b": None, "c": [None, "x"]},
    "{'a': INTERVAL 13 MONTH, 't': TIME '24:00:00', 'f': 'nan'::FLOAT}": {
        "a": "1 year 1 month",
        "t": "24:00:00",
        "f": None,
    },
    "{'h': 1::HUGEINT, 'n': 1.50, 'e': 'a'::ENUM('a', 'b'), 'l': [1, 2]::INT[2]}": {
        "h": "1",
        "n": "1.50",
        "e": "a",
        "l": [1, 2],
    },
    "{'d': DATE '2020-01-02', 't': TIMESTAMP '2020-01-02 03:04:05.5'}": {
        "d": "2020-01-02",
        "t": "2020-01-02T03:04:05.5+00:00",
    },
    "[[1, 2], [NULL], NULL]": [[1, 2], [None], None],
}


@pytest.mark.parametrize("value", SHOWN)
def test_values_within_values(value: str) -> None:
    assert orjson.loads(orjson.dumps(parts(asked(value)))) == [SHOWN[value]]


@pytest.mark.parametrize(
    "value",
    [
        *(
            f"INTERVAL '{interval}'"
            for interval in ("0 month", "-14 month", "25 month", "1 day", "-2 day", "-1.5 second")
        ),
        *(f"INTERVAL '{interval}'" for interval in ("100 hour", "1 year 2 months -3 days 00:00:01.000001", "-25 hour")),
        *(f"TIME '{time}'" for time in ("00:00:00", "10:00:00.5", "23:59:59.999999", "24:00:00")),
    ],
)
def test_times_and_intervals_are_spelled_as_duckdb_does(value: str) -> None:
    assert parts(asked(value)) == asked(f"CAST({value} AS VARCHAR)").to_pylist()


@pytest.mark.parametrize("value", ["union_value(num := 2)", "{'b': 1::BIGNUM}", "1::BIGNUM"])
def test_what_json_has_no_form_for_is_told(value: str) -> None:
    with pytest.raises(BadInput, match="Cast them to text"):
        parts(asked(value))


@pytest.mark.parametrize("value", ["{'a': TIMESTAMP '290000-01-01'}", "{'a': DATE 'infinity'}"])
async def test_what_no_calendar_has_is_told(value: str) -> None:
    async def batches() -> AsyncGenerator[pa.RecordBatch, None]:
        yield pa.RecordBatch.from_arrays([asked(value)], ["v"])

    with pytest.raises(BadInput, match="beyond the year 32767"):
        await collect_rows(batches(), limit=5)


MAPS = pa.array([[("a", 1), ("a", 2)], None, [], [("b", 3)]], pa.map_(pa.string(), pa.int32()))


def test_a_map_of_one_key_twice_loses_none() -> None:
    assert parts(MAPS) == [[["a", 1], ["a", 2]], None, {}, {"b": 3}]
    assert parts(MAPS.slice(2)) == [{}, {"b": 3}]
    assert parts(MAPS.slice(4)) == []


def test_parts_of_slices() -> None:
    pairs = pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int32(), 2))
    assert parts(pairs.slice(1)) == [None, [3, 4]]
    assert parts(pa.array([{"a": 1}, None, {"a": 3}]).slice(1)) == [None, {"a": 3}]
    assert parts(pa.array([{}, None], pa.struct([]))) == [{}, None]


def test_bytes_that_are_no_text_are_marked() -> None:
    """ClickHouse's String holds any bytes."""
    odd = pa.array([b"\xff"], pa.binary()).view(pa.string())
    assert parts(pa.StructArray.from_arrays([odd], ["s"])) == [{"s": "\ufffd"}]
    assert parts(pa.MapArray.from_arrays([0, 1], odd, odd)) == [{"\ufffd": "\ufffd"}]
