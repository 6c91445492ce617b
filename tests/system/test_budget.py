"""What a document may read of data sources (`AXION_LIMITS__MAX_SCANNED_BYTES`), by all ways to their rows."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.system.client import Client
from tests.system.mutations import created, deleted, done
from tests.system.process import Gateway
from tests.system.sample import flights_dataset

ANSWER = "query Answer($id: ID!) { gen { dashboard(id: $id) { widgets { nodes { answer { rowCount } } } } } }"
SQL = "query Sql($id: ID!, $sql: String!) { gen { dataset(id: $id) { sql(statement: $sql) { answer { rowCount } } } } }"
ROWS = 'query Rows($id: ID!) { gen { dataset(id: $id) { table(name: "flights") { rows { nodes } } } } }'
BY_ORIGIN = {"groupBy": ["origin"], "measures": [{"function": "COUNT"}]}
COUNT = "SELECT origin, count(*) AS n FROM flights GROUP BY origin"


@dataclass(frozen=True, slots=True)
class Frugal:
    """A gateway that reads what one column of the flights takes, and no byte more; asked by `client`."""

    client: Client
    dataset: str
    store: str

    async def board(self, widgets: int) -> str:
        """A dashboard of so many widgets, each of which reads that column."""
        made = await created(self.client, "GenDashboard", name="Budget")
        given = {"dashboardId": made, "kind": "TABLE", "datasetId": self.dataset, "tableName": "flights"}
        for n in range(widgets):
            await created(self.client, "GenDashboardWidget", **given, title=f"{n}", query=BY_ORIGIN)
        return made


@pytest.fixture(scope="module")
async def frugal(client: Client, env_file: Path, logs: Path) -> AsyncIterator[Frugal]:
    shown = 'dataSource { rowId } table(name: "flights") { estimate(select: ["origin"]) { bytes } }'
    dataset = await flights_dataset(client, shown)
    most = dataset["table"]["estimate"]["bytes"]
    assert int(most) > 0
    async with Gateway.serve(env_file, logs / "frugal.log", {"AXION_LIMITS__MAX_SCANNED_BYTES": most}) as gateway:
        yield Frugal(client.at(gateway.url), dataset["id"], f"datasource:{dataset['dataSource']['rowId']}")


@pytest.mark.parametrize("user", ["admin", "analyst"])
async def test_a_widget_beyond_the_budget_is_not_run(frugal: Frugal, user: str) -> None:
    """Of two widgets one is answered; which, is theirs to settle."""
    board = await frugal.board(2)
    try:
        shared = await done(frugal.client, "genDashboardUpdate", id=board, patch={"visibility": "EVERYONE"})
        assert shared["__typename"] == "GenDashboardUpdatePayload"
        answer = await frugal.client.ask(ANSWER, {"id": board}, user=user)
    finally:
        await deleted(frugal.client, "GenDashboard", board)
    assert answer.codes == ["COST_EXCEEDED"], answer.body
    found: list[Any] = answer.body["data"]["gen"]["dashboard"]["widgets"]["nodes"]
    assert sorted(map(repr, found)) == sorted(map(repr, [{"answer": None}, {"answer": {"rowCount": 3}}]))
    assert answer.statements[frugal.store] == 1 + 2 * 2 + 1, "a description, two for each estimate, and one query"


async def test_sql_and_streams_beyond_the_budget_are_not_run(frugal: Frugal) -> None:
    within = await frugal.client.ask(SQL, {"id": frugal.dataset, "sql": COUNT})
    assert within.data["gen"]["dataset"]["sql"]["answer"] == {"rowCount": 3}
    for sql in ("SELECT * FROM flights", f"{COUNT} UNION ALL SELECT dest, count(*) FROM flights GROUP BY dest"):
        beyond = await frugal.client.ask(SQL, {"id": frugal.dataset, "sql": sql})
        assert beyond.codes == ["COST_EXCEEDED"], sql
        assert beyond.statements[frugal.store] == within.statements[frugal.store] - 1
    rows = SQL.replace("rowCount", "rows")
    for document, variables in ((ROWS, {}), (rows, {"sql": "SELECT * FROM flights"})):
        async with frugal.client.arrow(document, {"id": frugal.dataset, **variables}) as response:
            body = await response.json()
        assert [error["extensions"]["code"] for error in body["errors"]] == ["COST_EXCEEDED"]
