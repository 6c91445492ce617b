"""A dashboard over each engine: all its widgets and choices in one document, as the same SQL by hand has them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.system.client import Client
from tests.system.flights.by_hand import ByHand
from tests.system.flights.conftest import Engine
from tests.system.flights.test_questions import same
from tests.system.mutations import created, deleted

ZONE = "America/New_York"
ASK = """
query Board($id: ID!, $filters: [GenFilterValue!], $touchedBy: [String!]) { gen { dashboard(id: $id) {
  widgets(orderBy: [{y: ASC}]) { nodes { title answer(filters: $filters, touchedBy: $touchedBy) {
    asked rows rowCount truncated engine dataSource timeZone bytes sql
    appliedFilters { name column } ignoredFilters { name reason }
  } } }
  controls(orderBy: [{position: ASC}]) { nodes { name values(filters: $filters, first: 1000) { values more } } }
} } }
"""
FLIGHTS: dict[str, dict[str, Any]] = {
    "origins": {"groupBy": ["origin"], "measures": [{"function": "COUNT", "as": "n"}]},
    "late": {
        "select": ["origin", "dest", "dep_delay"],
        "where": {"column": "dep_delay", "gt": 400},
        "orderBy": [{"column": "dep_delay", "direction": "DESC"}],
        "limit": 3,
    },
    "months": {
        "over": {"column": "time_hour", "unit": "MONTH", "as": "month"},
        "measures": [{"function": "AVG", "column": "air_time", "as": "minutes"}],
    },
}
AIRPORTS = {"select": ["faa", "name"], "where": {"column": "alt", "gt": 7_000}, "orderBy": [{"column": "faa"}]}
BY_HAND = {
    "origins": "SELECT origin, count(*) AS n FROM flights WHERE carrier IN ('B6', 'UA') GROUP BY 1 ORDER BY 1",
    "late": """SELECT origin, dest, dep_delay FROM flights WHERE carrier IN ('B6', 'UA') AND dep_delay > 400
      ORDER BY dep_delay DESC LIMIT 3""",
    "months": """SELECT ny_month AS month, avg(air_time) AS minutes FROM flights JOIN hours ON at = time_hour
      WHERE carrier IN ('B6', 'UA') GROUP BY 1 ORDER BY 1""",
    "airports": "SELECT faa, name FROM airports WHERE alt > 7000 ORDER BY faa",
}
FILTERS = [{"name": "carrier", "value": ["UA", "B6"]}]


@pytest.fixture
async def board(engine: Engine, client: Client) -> AsyncIterator[str]:
    """The carrier narrows the flights, and the choices of where they went to."""
    id_ = await created(client, "GenDashboard", name=f"Flights of {engine.name}", timeZone=ZONE)
    over = {"dashboardId": id_, "datasetId": engine.dataset}
    tables = {**dict.fromkeys(FLIGHTS, "flights"), "airports": "airports"}
    for y, (title, query) in enumerate({**FLIGHTS, "airports": AIRPORTS}.items()):
        await created(
            client, "GenDashboardWidget", **over, title=title, kind="TABLE", y=y, tableName=tables[title], query=query
        )
    choices = {**over, "kind": "SELECT", "operator": "IN", "tableName": "flights"}
    carrier = await created(client, "GenDashboardControl", **choices, name="carrier", columnName="carrier", position=1)
    await created(
        client, "GenDashboardControl", **choices, name="dest", columnName="dest", position=2, parentFilterId=carrier
    )
    yield id_
    await deleted(client, "GenDashboard", id_)


async def test_one_document(engine: Engine, client: Client, hand: ByHand, board: str) -> None:
    answer = await client.ask(ASK, {"id": board, "filters": FILTERS})
    assert answer.errors == []
    shown = answer.data["gen"]["dashboard"]
    widgets = {node["title"]: node["answer"] for node in shown["widgets"]["nodes"]}
    for title, sql in BY_HAND.items():
        found, expected = widgets[title], hand.rows(sql)
        assert expected
        same(found["rows"], expected)
        assert (found["asked"], found["rowCount"], found["timeZone"]) == (True, len(expected), ZONE)
        assert (found["engine"], found["dataSource"]) == (engine.subject.connector, engine.store)
        assert found["truncated"] is (title == "late")
        assert int(found["bytes"]) > 0
        assert all("SELECT" in each and "UA" not in each for each in found["sql"]) or engine.name == "impala"
        assert len(found["sql"]) == 1
    narrowed = {
        name for name, widget in widgets.items() if [each["name"] for each in widget["appliedFilters"]] == ["carrier"]
    }
    assert narrowed == set(FLIGHTS)
    assert {"name": "carrier", "reason": "NO_SUCH_COLUMN"} in widgets["airports"]["ignoredFilters"]
    choices = {node["name"]: node["values"] for node in shown["controls"]["nodes"]}
    for column, where in (("carrier", ""), ("dest", "WHERE carrier IN ('B6', 'UA')")):
        of_column = hand.rows(f"SELECT DISTINCT {column} AS it FROM flights {where} ORDER BY 1")
        assert choices[column] == {"values": [row["it"] for row in of_column], "more": False}


async def test_only_what_a_filter_touches(engine: Engine, client: Client, board: str) -> None:
    answer = await client.ask(ASK, {"id": board, "filters": FILTERS, "touchedBy": ["carrier"]})
    assert answer.errors == []
    nodes = answer.data["gen"]["dashboard"]["widgets"]["nodes"]
    touched = {node["title"] for node in nodes if node["answer"]["asked"]}
    assert touched == set(FLIGHTS)
