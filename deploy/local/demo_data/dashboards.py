"""What users create over the sample flights: a dashboard, metrics, an article and curation, by the
product's mutations.
"""

from typing import Any

from deploy.local.demo_data.operations import Operations
from deploy.local.errors import StackError

DASHBOARD = {
    "name": "New York departures",
    "description": "How punctual flights left New York City in 2013.",
    "visibility": "DATASET",
    "timeZone": "America/New_York",
}
_DELAY = {"function": "AVG", "column": "dep_delay", "as": "delay"}
_FLIGHTS = {"function": "COUNT", "as": "flights"}
WIDGETS: tuple[dict[str, Any], ...] = (
    {
        "title": "Read me",
        "kind": "TEXT",
        "content": "Delays are in *minutes*; early departures count as negative ones.",
        "width": 12,
        "height": 1,
    },
    {
        "title": "Mean delay by carrier",
        "kind": "BAR",
        "tableName": "flights",
        "query": {"groupBy": ["carrier"], "measures": [_DELAY, _FLIGHTS]},
        "y": 1,
    },
    {
        "title": "Departures by month",
        "kind": "LINE",
        "tableName": "flights",
        "query": {"groupBy": ["month"], "measures": [_FLIGHTS]},
        "x": 6,
        "y": 1,
    },
    {
        "title": "The latest of all",
        "kind": "TABLE",
        "tableName": "flights",
        "query": {
            "select": ["time_hour", "carrier", "flight", "origin", "dest", "dep_delay"],
            "where": {"column": "dep_delay", "gt": 600},
            "orderBy": [{"column": "dep_delay", "direction": "DESC"}],
            "limit": 20,
        },
        "y": 5,
        "width": 12,
    },
)
CONTROLS: tuple[dict[str, Any], ...] = (
    {"name": "origin", "label": "From", "kind": "SELECT", "columnName": "origin", "operator": "IN", "position": 1},
    {"name": "carrier", "label": "Carrier", "kind": "SELECT", "columnName": "carrier", "operator": "IN", "position": 2},
)
METRICS: tuple[dict[str, Any], ...] = (
    {
        "name": "flights",
        "title": "Flights",
        "kind": "SIMPLE",
        "definition": {"measure": {"function": "COUNT"}},
    },
    {
        "name": "cancelled_flights",
        "title": "Cancelled flights",
        "kind": "SIMPLE",
        "definition": {"measure": {"function": "COUNT"}, "where": {"column": "dep_time", "isNull": True}},
    },
    {
        "name": "mean_departure_delay",
        "title": "Mean departure delay",
        "unit": "min",
        "kind": "SIMPLE",
        "definition": {"measure": {"function": "AVG", "column": "dep_delay"}},
    },
    {
        "name": "cancelled_share",
        "title": "Share of cancelled flights",
        "kind": "RATIO",
        "definition": {"numerator": "cancelled_flights", "denominator": "flights"},
    },
    {
        "name": "flights_this_year",
        "title": "Flights since the year began",
        "kind": "CUMULATIVE",
        "timeColumn": "time_hour",
        "definition": {"metric": "flights", "grainToDate": "YEAR"},
    },
)
_OF_FLIGHTS = {
    "tableName": "flights",
    "grain": ["time_hour", "carrier", "flight"],
    "timeColumn": "time_hour",
    "dimensions": ["carrier", "origin", "dest", "month"],
}
ARTICLE = {
    "title": "How flights are counted",
    "body": "One row of `flights` is one scheduled departure. A cancelled one has no `dep_time`.",
    "tableName": "flights",
    "tags": ["flights", "delays"],
}
CURATION = (
    {"tableName": "flights", "columnName": "dep_delay", "displayName": "Departure delay", "unit": "min"},
    {"tableName": "flights", "columnName": "distance", "displayName": "Distance", "unit": "mi"},
)
_KNOWN = """
query KnownDashboards($dataset: ID!) {
  gen {
    dashboards(where: {name: {eq: "New York departures"}}) { totalCount }
    dataset(id: $dataset) {
      metrics(first: 100) { nodes { name } }
      articles { totalCount }
      curation(first: 100) { nodes { columnName } }
    }
  }
}
"""


async def load_dashboards(operations: Operations, dataset: str) -> str:
    """Creates what does not exist yet. Existing objects stay as users have changed them."""
    known = (await operations.run(_KNOWN, {"dataset": dataset}))["gen"]
    if not known["dashboards"]["totalCount"]:
        await _dashboard(operations, dataset)
    metrics = {node["name"] for node in known["dataset"]["metrics"]["nodes"]}
    for metric in METRICS:
        if metric["name"] not in metrics:
            of_kind = _OF_FLIGHTS if metric["kind"] == "SIMPLE" else {}
            await _made(operations, "GenSemanticMetric", {**of_kind, **metric, "datasetId": dataset})
    if not known["dataset"]["articles"]["totalCount"]:
        await _made(operations, "GenArticleVersion", {**ARTICLE, "datasetId": dataset})
    curated = {node["columnName"] for node in known["dataset"]["curation"]["nodes"]}
    for override in CURATION:
        if override["columnName"] not in curated:
            await _made(operations, "GenCurationOverride", {**override, "datasetId": dataset})
    return f"1 dashboard of {len(WIDGETS)} widgets, {len(METRICS)} metrics, 1 article"


async def _dashboard(operations: Operations, dataset: str) -> None:
    dashboard = await _made(operations, "GenDashboard", {**DASHBOARD, "datasetId": dataset})
    for widget in WIDGETS:
        asked = {"datasetId": dataset} if "query" in widget else {}
        await _made(operations, "GenDashboardWidget", {**widget, **asked, "dashboardId": dashboard})
    for control in CONTROLS:
        choices = {"datasetId": dataset, "tableName": "flights"}
        await _made(operations, "GenDashboardControl", {**control, **choices, "dashboardId": dashboard})


async def _made(operations: Operations, type_: str, given: dict[str, Any]) -> str:
    """The global id of the new row."""
    field, noun = f"g{type_[1:]}Create", f"{type_[3].lower()}{type_[4:]}"
    document = f"""
    mutation Make($input: {type_}CreateInput!) {{
      made: {field}(input: $input) {{
        ... on {type_}CreatePayload {{ row: {noun} {{ id }} }}
        ... on Error {{ message }}
      }}
    }}
    """
    answer = (await operations.run(document, {"input": given}))["made"]
    if "row" not in answer:
        raise StackError(f"{field}: {answer.get('message')}")
    id_: str = answer["row"]["id"]
    return id_
