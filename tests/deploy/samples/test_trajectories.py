from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from deploy.local.samples.trajectories import POSITIONS, positions


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return positions()


def test_nothing_is_missing(table: pa.Table) -> None:
    assert table.num_rows == 284_505
    assert table.schema.equals(POSITIONS)
    spans = pc.min_max(table["timestamp"]).as_py()
    assert spans == {
        "min": datetime(2021, 10, 7, 12, 0, 1, tzinfo=UTC),
        "max": datetime(2021, 10, 7, 14, 59, 59, tzinfo=UTC),
    }


def test_positions_are_on_earth(table: pa.Table) -> None:
    for column, least, most in (("latitude", -90, 90), ("longitude", -180, 180), ("track", 0, 360)):
        span = pc.min_max(table[column]).as_py()
        assert least <= span["min"] <= span["max"] <= most


def test_a_trajectory_is_one_aircraft_without_a_long_gap(table: pa.Table) -> None:
    names = ["trajectory", "icao24", "callsign"]
    assert table.select(names).group_by(names).aggregate([]).num_rows == 238
    assert pc.count_distinct(table["trajectory"]).as_py() == 238
    numbers = table["trajectory"].to_pylist()
    instants = pc.cast(table["timestamp"], pa.int64()).to_pylist()
    for before, after in zip(range(len(numbers)), range(1, len(numbers)), strict=False):
        if numbers[before] == numbers[after]:
            assert 0 <= instants[after] - instants[before] < 600_000
        else:
            assert numbers[after] == numbers[before] + 1
