"""The demo's dashboard and what describes its dataset, as each demo user finds them."""

import pytest

from tests.system.client import Client

FOUND = """
{
  gen {
    dashboards(where: {name: {eq: "New York departures"}}) {
      nodes { visibility widgets { totalCount } controls { totalCount } dataset { name } }
    }
    semanticMetrics(where: {isCurrent: {eq: true}, dataset: {name: {eq: "nycflights13"}}}) { totalCount }
    articleVersions(where: {dataset: {name: {eq: "nycflights13"}}}) { nodes { title version isCurrent } }
  }
}
"""
DASHBOARD = {
    "visibility": "DATASET",
    "widgets": {"totalCount": 4},
    "controls": {"totalCount": 2},
    "dataset": {"name": "nycflights13"},
}
ARTICLE = {"title": "How flights are counted", "version": 1, "isCurrent": True}


@pytest.mark.parametrize(("user", "sees"), [("admin", True), ("analyst", True), ("stranger", False)])
async def test_who_sees_the_dashboard_sees_its_dataset(client: Client, user: str, sees: bool) -> None:
    found = (await client.ask(FOUND, user=user)).data["gen"]
    assert found == {
        "dashboards": {"nodes": [DASHBOARD] if sees else []},
        "semanticMetrics": {"totalCount": 5 if sees else 0},
        "articleVersions": {"nodes": [ARTICLE] if sees else []},
    }
