from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from deploy.local.samples.flights import NewYorkFlights, new_york_flights


@pytest.fixture(scope="module")
def data() -> NewYorkFlights:
    return new_york_flights()


@pytest.mark.parametrize(
    ("name", "rows", "columns"),
    [
        ("flights", 336_776, 19),
        ("airlines", 16, 2),
        ("airports", 1_458, 8),
        ("planes", 3_322, 9),
        ("weather", 26_115, 15),
    ],
)
def test_nothing_is_missing(data: NewYorkFlights, name: str, rows: int, columns: int) -> None:
    table: pa.Table = getattr(data, name)
    assert (table.num_rows, table.num_columns) == (rows, columns)
    assert all(field.metadata[b"description"] for field in table.schema)


def test_missing_values_are_null_and_only_they(data: NewYorkFlights) -> None:
    nulls = {name: data.flights[name].null_count for name in data.flights.column_names}
    assert {name: count for name, count in nulls.items() if count} == {
        "dep_time": 8_255,
        "dep_delay": 8_255,
        "arr_time": 8_713,
        "arr_delay": 9_430,
        "tailnum": 2_512,
        "air_time": 9_430,
    }
    assert data.planes["speed"].null_count == 3_299
    assert data.weather["wind_gust"].null_count == 20_778


def test_values_are_typed(data: NewYorkFlights) -> None:
    first = data.flights.slice(0, 1).to_pylist()[0]
    assert (first["carrier"], first["flight"], first["tailnum"], first["dep_delay"]) == ("UA", 1545, "N14228", 2)
    assert first["time_hour"] == datetime(2013, 1, 1, 10, tzinfo=UTC)
    assert pc.sum(data.flights["distance"]).as_py() == 350_217_607
