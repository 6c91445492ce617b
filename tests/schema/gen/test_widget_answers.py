"""Dashboards answered in one document, over the flights of New York, compared with plain Python."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.local.samples.flights import NewYorkFlights
from tests.resolvers.gen.conftest import GenStores
from tests.schema.gen.new_york import DATABASE, Answer, asked, made
from tests.schema.gen.world import World

DASHBOARD = """
query Board($id: ID!, $filters: [GenFilterValue!], $touchedBy: [String!]) { gen { dashboard(id: $id) {
  widgets(orderBy: [{y: ASC}]) { nodes { title answer(filters: $filters, touchedBy: $touchedBy) {
    asked rows rowCount truncated engine dataSource timeZone bytes ms columns { name kind }
    appliedFilters { source name column operator value isDefault } ignoredFilters { source name column reason }
  } } }
} } }
"""
BY_ORIGIN = {"groupBy": ["origin"], "measures": [{"function": "COUNT", "as": "flights"}]}
LATEST = {"select": ["origin", "dest"], "where": {"column": "dep_delay", "gt": 900}, "orderBy": [{"column": "dest"}]}
NAMES = {"select": ["carrier", "name"], "orderBy": [{"column": "carrier"}], "limit": 3}


@pytest.fixture
def flights(sample: NewYorkFlights) -> list[dict[str, Any]]:
    columns = ["origin", "dest", "carrier", "dep_delay", "month"]
    rows: list[dict[str, Any]] = sample.flights.select(columns).to_pylist()
    return rows


@pytest.fixture
async def board(nyc: World) -> str:
    id_ = await made(nyc, "GenDashboard", {"name": "Flights", "timeZone": "America/New_York"})
    for y, (title, table, query) in enumerate(
        (("origins", "flights", BY_ORIGIN), ("late", "flights", LATEST), ("airlines", "airlines", NAMES))
    ):
        place = {"dashboardId": id_, "title": title, "kind": "TABLE", "y": y}
        await made(nyc, "GenDashboardWidget", {**place, "datasetId": "@nyc", "tableName": table, "query": query})
    text = {"dashboardId": id_, "title": "text", "kind": "TEXT", "content": "Read me", "y": 3}
    await made(nyc, "GenDashboardWidget", text)
    control = {"dashboardId": id_, "name": "carrier", "kind": "SELECT", "columnName": "carrier", "operator": "IN"}
    await made(nyc, "GenDashboardControl", control)
    return id_


def widgets(answer: Answer) -> dict[str, Any]:
    return {node["title"]: node["answer"] for node in answer.data["gen"]["dashboard"]["widgets"]["nodes"]}


def counted(rows: Iterator[dict[str, Any]] | list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [{name: key, "flights": count} for key, count in sorted(Counter(row[name] for row in rows).items())]


async def test_one_document(nyc: World, board: str, flights: list[dict[str, Any]], sample: NewYorkFlights) -> None:
    answer = await asked(nyc, "ann", DASHBOARD, {"id": board})
    assert not answer.errors
    found = widgets(answer)
    assert found["text"] is None
    assert found["origins"]["rows"] == counted(flights, "origin")
    late = [{"origin": f["origin"], "dest": f["dest"]} for f in flights if (f["dep_delay"] or 0) > 900]
    assert sorted(map(str, found["late"]["rows"])) == sorted(map(str, late))
    assert [row["carrier"] for row in found["airlines"]["rows"]] == sorted(sample.airlines["carrier"].to_pylist())[:3]
    assert found["airlines"]["truncated"]
    assert not found["origins"]["truncated"]
    assert [column["kind"] for column in found["origins"]["columns"]] == ["text", "integer"]
    for name in ("origins", "late", "airlines"):
        shown = found[name]
        assert shown["asked"]
        assert shown["rowCount"] == len(shown["rows"])
        said = shown["engine"], shown["dataSource"], shown["timeZone"]
        assert said == ("clickhouse", nyc.stores["nyc"], "America/New_York")
        assert int(shown["bytes"]) > 0
        assert shown["ms"] > 0
        assert shown["appliedFilters"] == []
        ignored = {"source": "DASHBOARD", "name": "carrier", "column": "carrier", "reason": "NO_VALUE"}
        assert shown["ignoredFilters"] == [ignored]


async def test_statements_are_for_administrators_of_the_dataset(nyc: World, board: str) -> None:
    """They name the tables as the data source has them, which `GenDataset.remoteSchema` keeps from others, too."""
    document = DASHBOARD.replace("truncated engine", "sql engine")
    await nyc.do("ann", "genDashboardUpdate", {"id": board, "patch": {"visibility": "EVERYONE"}})
    answer = await asked(nyc, "admin", document, {"id": board})
    assert not answer.errors
    found = widgets(answer)
    assert all(len(found[name]["sql"]) == 1 for name in ("origins", "late", "airlines"))
    assert "SELECT" in found["late"]["sql"][0]
    assert "900" not in found["late"]["sql"][0]  # values are bound
    answer = await asked(nyc, "ann", document, {"id": board})
    found = widgets(answer)
    assert [found[name]["sql"] for name in ("origins", "late", "airlines")] == [None] * 3
    assert all(found[name]["rows"] for name in ("origins", "late", "airlines"))
    assert [error["code"] for error in answer.errors] == ["FORBIDDEN"] * 3
    assert DATABASE not in str(answer.data) + str(answer.errors)


async def test_what_is_asked_of_the_stores(nyc: World, board: str, stores: GenStores) -> None:
    """Three widgets over two tables: two descriptions, three queries; four statements of Postgres however many."""
    await asked(nyc, "ann", DASHBOARD, {"id": board})
    answer = await asked(nyc, "ann", DASHBOARD, {"id": board})
    before = answer.statements("axion_gen")
    assert answer.statements(nyc.stores["nyc"]) == 2 + 3
    for number in range(10):
        place = {"dashboardId": board, "title": f"more {number}", "kind": "BAR", "y": 10 + number}
        await made(
            nyc, "GenDashboardWidget", {**place, "datasetId": "@nyc", "tableName": "flights", "query": BY_ORIGIN}
        )
    answer = await asked(nyc, "ann", DASHBOARD, {"id": board})
    assert answer.statements("axion_gen") == before
    assert answer.statements(nyc.stores["nyc"]) == 2 + 13


async def test_a_filter(nyc: World, board: str, flights: list[dict[str, Any]]) -> None:
    given = {"id": board, "filters": [{"name": "carrier", "value": ["UA", "9E"]}]}
    found = widgets(await asked(nyc, "ann", DASHBOARD, given))
    assert found["origins"]["rows"] == counted([f for f in flights if f["carrier"] in ("UA", "9E")], "origin")
    assert [row["carrier"] for row in found["airlines"]["rows"]] == ["9E", "UA"]
    applied = {"source": "DASHBOARD", "name": "carrier", "column": "carrier", "operator": "IN"}
    assert found["origins"]["appliedFilters"] == [{**applied, "value": ["UA", "9E"], "isDefault": False}]


async def test_what_is_ignored_says_why(nyc: World, board: str, flights: list[dict[str, Any]]) -> None:
    control = {"dashboardId": board, "kind": "NUMBER", "columnName": "month", "operator": "BETWEEN"}
    await made(nyc, "GenDashboardControl", {**control, "name": "months", "defaultValue": [2, 3]})
    nobody = {"widgetId": "019a0000-0000-7000-8000-000000000000"}
    await made(nyc, "GenDashboardControl", {**control, "name": "else", "defaultValue": [2, 3], "targets": [nobody]})
    found = widgets(await asked(nyc, "ann", DASHBOARD, {"id": board}))
    assert found["origins"]["rows"] == counted([f for f in flights if f["month"] in (2, 3)], "origin")
    assert [each["isDefault"] for each in found["origins"]["appliedFilters"]] == [True]
    reasons = {each["name"]: each["reason"] for each in found["airlines"]["ignoredFilters"]}
    assert reasons == {"carrier": "NO_VALUE", "months": "NO_SUCH_COLUMN", "else": "OTHER_WIDGETS"}
    cleared = {"id": board, "filters": [{"name": "months", "value": None}]}
    found = widgets(await asked(nyc, "ann", DASHBOARD, cleared))
    assert found["origins"]["rows"] == counted(flights, "origin")


async def test_only_what_a_filter_touches_is_asked(nyc: World, board: str) -> None:
    control = {"dashboardId": board, "name": "months", "kind": "NUMBER", "columnName": "month"}
    await made(nyc, "GenDashboardControl", control)
    given = {"id": board, "filters": [{"name": "months", "value": 2}], "touchedBy": ["months"]}
    answer = await asked(nyc, "ann", DASHBOARD, given)
    found = widgets(answer)
    assert {name: shown and shown["asked"] for name, shown in found.items()} == {
        "origins": True,
        "late": True,
        "airlines": False,
        "text": None,
    }
    assert found["airlines"]["rows"] is None
    assert answer.statements(nyc.stores["nyc"]) == 2 + 2
    answer = await asked(nyc, "ann", DASHBOARD, {"id": board, "touchedBy": ["months", "moths"]})
    assert [error["code"] for error in answer.errors] == ["BAD_USER_INPUT"] * 3
    assert "no filter 'moths'. Its filters: carrier, months." in answer.errors[0]["message"]


async def test_a_required_filter(nyc: World, board: str, flights: list[dict[str, Any]]) -> None:
    """Of the table: for widgets and for reads of the table alike, and nothing is sent."""
    given = {"datasetId": "@nyc", "tableName": "flights", "columnName": "month", "kind": "NUMBER"}
    await made(nyc, "GenTableFilter", {**given, "operator": "BETWEEN", "isRequired": True}, user="admin")
    answer = await asked(nyc, "ann", DASHBOARD, {"id": board})
    found = widgets(answer)
    assert (found["origins"], found["late"]) == (None, None)
    assert found["airlines"]["rowCount"] == 3
    assert [error["code"] for error in answer.errors] == ["FILTER_REQUIRED"] * 2
    assert sorted(error["path"] for error in answer.errors) == [
        ["gen", "dashboard", "widgets", "nodes", place, "answer"] for place in (0, 1)
    ]
    assert answer.statements(nyc.stores["nyc"]) == 2 + 1  # the descriptions, and the airlines
    rows = 'query Rows($id: ID!, $where: GenRowFilter) { gen { dataset(id: $id) { table(name: "flights") { %s } } } }'
    for selection in (
        "rows(where: $where, first: 1) { nodes }",
        "aggregate(where: $where, measures: [{function: COUNT}])",
    ):
        document = rows % selection
        answer = await asked(nyc, "ann", document, {"id": "@nyc"})
        assert [error["code"] for error in answer.errors] == ["FILTER_REQUIRED"]
        assert answer.statements(nyc.stores["nyc"]) == 1
        half = {"column": "month", "gte": 2}
        answer = await asked(nyc, "ann", document, {"id": "@nyc", "where": half})
        assert [error["code"] for error in answer.errors] == ["FILTER_REQUIRED"]
        whole = {"column": "month", "gte": 2, "lt": 3}
        answer = await asked(nyc, "ann", document, {"id": "@nyc", "where": whole})
        assert not answer.errors
    control = {"dashboardId": board, "kind": "NUMBER", "columnName": "month", "operator": "BETWEEN"}
    await made(nyc, "GenDashboardControl", {**control, "name": "months", "defaultValue": [2, 3]})
    found = widgets(await asked(nyc, "ann", DASHBOARD, {"id": board}))
    assert found["origins"]["rows"] == counted([f for f in flights if f["month"] in (2, 3)], "origin")
    ignored = {"source": "TABLE", "name": None, "column": "month", "reason": "NARROWED_ALREADY"}
    assert ignored in found["origins"]["ignoredFilters"]


async def test_a_failing_widget_spoils_no_other(nyc: World, board: str) -> None:
    """One over a server that is down, one of a column that is gone, one of a table that is gone."""
    for y, (dataset, table, query) in enumerate(
        (
            ("@flights", "flights", BY_ORIGIN),
            ("@nyc", "flights", {"select": ["gone"]}),
            ("@nyc", "gone", BY_ORIGIN),
        )
    ):
        place = {"dashboardId": board, "title": f"bad {y}", "kind": "TABLE", "y": 4 + y}
        await made(nyc, "GenDashboardWidget", {**place, "datasetId": dataset, "tableName": table, "query": query})
    answer = await asked(nyc, "ann", DASHBOARD, {"id": board})
    found = widgets(answer)
    assert [found[f"bad {y}"] for y in range(3)] == [None] * 3
    assert all(found[name]["rows"] for name in ("origins", "late", "airlines"))
    failures: dict[int, tuple[str, str | None]] = {
        error["path"][4]: (error["code"], error.get("store")) for error in answer.errors
    }
    assert failures == {
        4: ("STORE_UNAVAILABLE", nyc.stores["east"]),
        5: ("UNKNOWN_COLUMN", None),
        6: ("NOT_FOUND", None),
    }


async def test_who_may_not_see_the_table(nyc: World, board: str) -> None:
    """A stranger sees no widget of a shared dashboard, and nothing is sent to its store."""
    await nyc.do("ann", "genDashboardUpdate", {"id": board, "patch": {"visibility": "EVERYONE"}})
    seen: defaultdict[str, list[str]] = defaultdict(list)
    for user in ("bob", "stranger", ""):
        answer = await asked(nyc, user, DASHBOARD, {"id": board})
        if answer.data["gen"]["dashboard"] is not None:
            seen[user] = list(widgets(answer))
        if user != "bob":
            assert answer.statements(nyc.stores["nyc"]) == 0
    assert seen["bob"] == ["origins", "late", "airlines", "text"]
    assert seen["stranger"] == ["text"]
    assert seen[""] == []


async def test_an_unknown_filter(nyc: World, board: str) -> None:
    answer = await asked(nyc, "ann", DASHBOARD, {"id": board, "filters": [{"name": "carier", "value": "UA"}]})
    assert {error["code"] for error in answer.errors} == {"BAD_USER_INPUT"}
    assert "'carier'" in answer.errors[0]["message"]
    assert "carrier" in answer.errors[0]["message"]
