"""Gaps and earlier ranges on every engine, on days of 23 and 25 hours too, are those of Python's time zones."""

from collections import Counter
from datetime import datetime

import pytest

from deploy.local.samples.flights import NewYorkFlights
from tests.system.client import Client
from tests.system.flights.conftest import Engine
from tests.system.flights.series import SERIES, Series

DOCUMENT = """
query Series($dataset: ID!, $over: GenTimeBucket!) {
  gen { dataset(id: $dataset) { table(name: "flights") {
    aggregate(over: $over, measures: [{function: COUNT, as: "n"}])
  } } }
}
"""


@pytest.fixture(scope="session")
def departures(flights: NewYorkFlights) -> Counter[datetime]:
    return Counter(flights.flights.column("time_hour").to_pylist())


@pytest.mark.parametrize("series", SERIES, ids=str)
async def test_gaps_and_earlier_ranges(
    engine: Engine, client: Client, departures: Counter[datetime], series: Series
) -> None:
    answer = await client.ask(DOCUMENT, {"dataset": engine.dataset, "over": series.over})
    expected = series.expected(departures)
    assert any(row["n"] for row in expected) or any(row["compared"]["n"] for row in expected)
    assert answer.data["gen"]["dataset"]["table"]["aggregate"] == expected
