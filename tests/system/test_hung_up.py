"""A query whose client goes away is cancelled in its store, at once and with nothing left behind."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.system.client import Client
from tests.system.mutations import created, deleted
from tests.system.process import Gateway
from tests.system.stores import Direct
from tests.system.watching import connected
from tests.waiting import until

SLOW = """
query Slow($id: ID!) {
  gen { dataset(id: $id) { table(name: "big") {
    aggregate(groupBy: ["a", "b"], first: 10, measures: [
      {function: COUNT_DISTINCT, column: "c", as: "x"}, {function: COUNT_DISTINCT, column: "at", as: "y"}
    ])
  } } }
}
"""

RAW = """
query Raw($id: ID!, $sql: String!) {
  gen { dataset(id: $id) { sql(statement: $sql) { answer(first: 10) { rows } } } }
}
"""
SLOW_SQL = "SELECT a, b, count(DISTINCT c) AS x, count(DISTINCT at) AS y FROM big GROUP BY a, b"
ANSWER = """
query Superseded($id: ID!, $filters: [GenFilterValue!], $touchedBy: [String!]) { gen { dashboard(id: $id) {
  widgets { nodes { title answer(filters: $filters, touchedBy: $touchedBy) { asked rowCount } } }
} } }
"""
SLOW_WIDGET = {
    "groupBy": ["a", "b"],
    "measures": [{"function": "COUNT_DISTINCT", "column": name} for name in ("c", "at")],
    "limit": 10,
}


async def running(direct: Direct) -> int:
    rows = await direct.clickhouse("SELECT query FROM system.processes WHERE query LIKE '%big%'")
    return sum("system.processes" not in row["query"] for row in rows)


async def _run(direct: Direct, queries: int) -> bool:
    return await running(direct) == queries


async def test_a_slow_query_is_cancelled(client: Client, gateway: Gateway, big: str, direct: Direct) -> None:
    await _hang_up({"query": SLOW, "variables": {"id": big}}, "Slow", client, gateway, direct)


async def test_raw_sql_is_cancelled(client: Client, gateway: Gateway, big: str, direct: Direct) -> None:
    await _hang_up({"query": RAW, "variables": {"id": big, "sql": SLOW_SQL}}, "Raw", client, gateway, direct)


@pytest.fixture
async def board(client: Client, big: str) -> AsyncIterator[str]:
    """A dashboard of two slow widgets, and a filter that applies to the first."""
    id_ = await created(client, "GenDashboard", name="Superseded")
    widget = {"dashboardId": id_, "kind": "TABLE", "datasetId": big, "tableName": "big", "query": SLOW_WIDGET}
    one, _ = [await created(client, "GenDashboardWidget", **widget, title=each, key="rowId") for each in ("one", "two")]
    least = {"dashboardId": id_, "name": "least", "kind": "NUMBER", "columnName": "c", "operator": "GTE"}
    await created(client, "GenDashboardControl", **least, targets=[{"widgetId": one, "column": "c"}])
    yield id_
    await deleted(client, "GenDashboard", id_)


def _beyond_all(board: str) -> dict[str, Any]:
    """Variables of the filter that no row meets, which answers at once."""
    return {"id": board, "filters": [{"name": "least", "value": 1e19}], "touchedBy": ["least"]}


def _assert_only_one_is_asked(data: Any) -> None:
    shown = {node["title"]: node["answer"] for node in data["gen"]["dashboard"]["widgets"]["nodes"]}
    assert shown == {"one": {"asked": True, "rowCount": 0}, "two": {"asked": False, "rowCount": None}}


async def test_a_superseded_dashboard_is_cancelled(
    client: Client, gateway: Gateway, board: str, direct: Direct
) -> None:
    """Its client gives up the request of the filters before: the queries of all widgets, which run at once, end in
    their store. It then asks for what the changed filter touches, and nothing else is queried.
    """
    before = {"id": board, "filters": [{"name": "least", "value": 0}]}
    await _hang_up({"query": ANSWER, "variables": before}, "Superseded", client, gateway, direct, queries=2)
    _assert_only_one_is_asked((await client.ask(ANSWER, _beyond_all(board))).data)


async def test_a_superseded_operation_of_a_websocket_is_cancelled(client: Client, board: str, direct: Direct) -> None:
    """The same by `complete`, on a connection that goes on."""
    async with connected(client, "admin") as socket:
        await socket.subscribe(ANSWER, {"id": board, "filters": [{"name": "least", "value": 0}]}, id_="before")
        await until(lambda: _run(direct, 2), timeout_s=10)
        await socket.send(id="before", type="complete")
        await socket.subscribe(ANSWER, _beyond_all(board), id_="after")
        (answer,) = [payload async for payload in socket.payloads()]
        _assert_only_one_is_asked(answer["data"])
        await until(lambda: _run(direct, 0), timeout_s=5)


async def _hang_up(
    body: dict[str, Any], name: str, client: Client, gateway: Gateway, direct: Direct, *, queries: int = 1
) -> None:
    logged = len(gateway.running.lines())
    async with aiohttp.ClientSession() as leaving:
        asking = asyncio.create_task(leaving.post(f"{client.url}/graphql", json=body, headers=client.headers("admin")))

        async def started() -> bool:
            assert not asking.done(), await asking
            return await _run(direct, queries)

        await until(started, timeout_s=10)
        asking.cancel()
        await asyncio.wait((asking,))

    await until(lambda: _run(direct, 0), timeout_s=5)
    await gateway.running.logs("CANCELLED", name, since=logged)


async def test_what_runs_is_counted(client: Client) -> None:
    """No operation is in flight after all that hung up, by the gateway's own count."""

    async def idle() -> bool:
        async with client.http.get(f"{client.url}/metrics") as response:
            lines = (await response.text()).splitlines()
        flying = [line for line in lines if line.startswith("axion_operations_in_flight{")]
        assert flying
        return all(line.endswith(" 0.0") for line in flying)

    await until(idle, timeout_s=10)
