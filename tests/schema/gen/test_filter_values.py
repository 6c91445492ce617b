"""The choices of a dashboard's filters, cascading, compared with plain Python."""

from typing import Any

import pytest

from deploy.local.samples.flights import NewYorkFlights
from tests.schema.gen.new_york import Answer, asked, made
from tests.schema.gen.world import World

CHOICES = """
query Choices($id: ID!, $search: String, $first: Int! = 50, $filters: [GenFilterValue!]) {
  gen { dashboard(id: $id) { controls(orderBy: [{position: ASC}]) { nodes {
    name values(search: $search, first: $first, filters: $filters) { values more }
  } } } }
}
"""


@pytest.fixture
async def board(nyc: World) -> str:
    """Origin narrows destination, which narrows the carrier."""
    id_ = await made(nyc, "GenDashboard", {"name": "Choices"})
    given: dict[str, Any] = {"dashboardId": id_, "kind": "SELECT", "datasetId": "@nyc", "tableName": "flights"}
    parent = None
    for position, column in enumerate(("origin", "dest", "carrier")):
        control = given | {"name": column, "columnName": column, "position": position, "parentFilterId": parent}
        parent = await made(nyc, "GenDashboardControl", control)
    await made(nyc, "GenDashboardControl", {"dashboardId": id_, "kind": "DATE", "name": "day", "columnName": "day"})
    return id_


def choices(answer: Answer) -> dict[str, Any]:
    assert not answer.errors, answer.errors
    return {node["name"]: node["values"] for node in answer.data["gen"]["dashboard"]["controls"]["nodes"]}


def distinct(sample: NewYorkFlights, column: str, **equal: str) -> list[str]:
    rows = sample.flights.select(["origin", "dest", "carrier"]).to_pylist()
    return sorted({row[column] for row in rows if all(row[name] == value for name, value in equal.items())})


async def test_choices(nyc: World, board: str, sample: NewYorkFlights) -> None:
    answer = await asked(nyc, "ann", CHOICES, {"id": board})
    dests = distinct(sample, "dest")
    assert choices(answer) == {
        "day": None,
        "origin": {"values": distinct(sample, "origin"), "more": False},
        "dest": {"values": dests[:50], "more": True},
        "carrier": {"values": distinct(sample, "carrier"), "more": False},
    }
    assert answer.statements(nyc.stores["nyc"]) == 1 + 1, "the description, and one query for all filters"


async def test_cascade(nyc: World, board: str, sample: NewYorkFlights) -> None:
    filters = [{"name": "origin", "value": "JFK"}, {"name": "dest", "value": "BOS"}, {"name": "day", "value": 1}]
    found = choices(await asked(nyc, "ann", CHOICES, {"id": board, "filters": filters, "first": 1000}))
    assert found["origin"]["values"] == distinct(sample, "origin")
    assert found["dest"]["values"] == distinct(sample, "dest", origin="JFK")
    assert found["carrier"]["values"] == distinct(sample, "carrier", origin="JFK", dest="BOS")


async def test_a_filter_that_fails_spoils_no_other(nyc: World, board: str, sample: NewYorkFlights) -> None:
    for table, column in (("flights", "gone"), ("none", "origin")):
        given = {"dashboardId": board, "kind": "SELECT", "datasetId": "@nyc", "tableName": table, "columnName": column}
        await made(nyc, "GenDashboardControl", {**given, "name": table, "position": 9})
    carrier = {"dashboardId": board, "kind": "SELECT", "datasetId": "@nyc", "tableName": "airlines", "position": 9}
    await made(nyc, "GenDashboardControl", {**carrier, "name": "airline", "columnName": "name"})
    answer = await asked(nyc, "ann", CHOICES, {"id": board})
    assert sorted(error["code"] for error in answer.errors) == ["NOT_FOUND", "UNKNOWN_COLUMN"]
    found = {node["name"]: node["values"] for node in answer.data["gen"]["dashboard"]["controls"]["nodes"]}
    assert found["origin"]["values"] == distinct(sample, "origin")
    assert found["airline"]["values"] == sorted(sample.airlines["name"].to_pylist())
    assert answer.statements(nyc.stores["nyc"]) == 3 + 1, (
        "descriptions, one of a table that is not there, and one query"
    )


async def test_search(nyc: World, board: str, sample: NewYorkFlights) -> None:
    found = choices(await asked(nyc, "ann", CHOICES, {"id": board, "search": "l", "first": 1000}))
    assert found["dest"]["values"] == [dest for dest in distinct(sample, "dest") if "L" in dest]
    found = choices(await asked(nyc, "ann", CHOICES, {"id": board, "search": "%"}))
    assert found["dest"]["values"] == []


async def test_who_may_not_see_the_table(nyc: World, board: str) -> None:
    await nyc.do("ann", "genDashboardUpdate", {"id": board, "patch": {"visibility": "EVERYONE"}})
    answer = await asked(nyc, "stranger", CHOICES, {"id": board})
    assert choices(answer) == {"day": None}
    assert answer.statements(nyc.stores["nyc"]) == 0
