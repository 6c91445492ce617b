"""The values that each writable type of Gen is tested with: `@name` is a global id of the world, `$name` one of
`needs`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DASHBOARD = {"name": "Delays", "visibility": "PRIVATE"}
QUERY = {"groupBy": ["origin"], "measures": [{"function": "AVG", "column": "dep_delay", "as": "delay"}], "limit": 10}
WIDGET = {
    "dashboardId": "$GenDashboard",
    "title": "Delay by airport",
    "kind": "BAR",
    "datasetId": "@flights",
    "tableName": "flights",
    "query": QUERY,
}
CONTROL = {"dashboardId": "$GenDashboard", "name": "from", "kind": "SELECT", "columnName": "origin"}


@dataclass(frozen=True, slots=True)
class Entity:
    """`refused` are changes of `given` that are refused, with the failure and its field."""

    name: str
    root: str
    given: Mapping[str, Any]
    patch: Mapping[str, Any]
    refused: tuple[tuple[Mapping[str, Any], str, str], ...]
    writer: str = "ann"
    needs: tuple[str, ...] = ()
    readers: tuple[str, ...] = ("admin",)
    blind: tuple[str, ...] = ("stranger",)
    denied: tuple[str, ...] = field(default=())
    """Who sees it, and may not write it."""
    told: str = "Absent"
    """To who does not see it and writes: of what administrators alone write no row is looked for, so `NotAllowed`."""

    @property
    def field(self) -> str:
        return self.name[0].lower() + self.name[1:]

    @property
    def noun(self) -> str:
        noun = self.name.removeprefix("Gen")
        return noun[0].lower() + noun[1:]


def _query(**changes: Any) -> dict[str, Any]:
    return {"query": changes}


ENTITIES = (
    Entity(
        "GenDashboard",
        "dashboards",
        DASHBOARD,
        {"name": "Late flights", "datasetId": "@flights", "refreshSeconds": 60},
        (
            ({"name": "taken"}, "Conflict", "name"),
            ({"visibility": "DATASET"}, "InvalidInput", "datasetId"),
            ({"datasetId": "@secret"}, "InvalidInput", "datasetId"),
            ({"columns": 0}, "InvalidInput", "columns"),
            ({"refreshSeconds": 1}, "InvalidInput", "refreshSeconds"),
            ({"timeZone": "Mars/Olympus"}, "InvalidInput", "timeZone"),
        ),
        blind=("bob", "stranger"),
    ),
    Entity(
        "GenDashboardGroup",
        "dashboardGroups",
        {"name": "Operations"},
        {"position": 3},
        (({"name": "taken"}, "Conflict", "name"),),
        blind=("bob", "stranger"),
    ),
    Entity(
        "GenDashboardWidget",
        "dashboardWidgets",
        WIDGET,
        {"title": "Mean delay", "query": {"select": ["origin"], "where": {"column": "dep_delay", "gt": 60}}},
        (
            ({"dashboardId": "@flights"}, "InvalidInput", "dashboardId"),
            ({"datasetId": "@secret"}, "InvalidInput", "datasetId"),
            ({"kind": "TEXT"}, "InvalidInput", "query"),
            ({"tableName": None}, "InvalidInput", "query"),
            ({"width": 49}, "InvalidInput", "width"),
            ({"x": 40000}, "InvalidInput", "x"),
            (_query(select=[]), "InvalidInput", "query"),
            (_query(select=["a"], measures=[{"function": "COUNT"}]), "InvalidInput", "query"),
            (_query(measures=[{"function": "SUM"}]), "InvalidInput", "query"),
            (_query(measures=[{"function": "MODE", "column": "a"}]), "InvalidInput", "query"),
            (_query(measures=[{"function": "PERCENTILE", "column": "a"}]), "InvalidInput", "query"),
            (_query(groupBy=["a"], orderBy=[{"column": "b"}]), "InvalidInput", "query"),
            (_query(where={"eq": 1}), "InvalidInput", "query"),
            (_query(where={"column": "a"}), "InvalidInput", "query"),
            (_query(where={"and": [{"column": "a", "eq": None}]}), "InvalidInput", "query"),
            (_query(limit=1001), "InvalidInput", "query"),
            (_query(limit="10"), "InvalidInput", "query"),
            (_query(sql="DROP TABLE flights"), "InvalidInput", "query"),
            ({"query": ["a"]}, "InvalidInput", "query"),
        ),
        needs=("GenDashboard",),
        blind=("bob", "stranger"),
    ),
    Entity(
        "GenDashboardControl",
        "dashboardControls",
        CONTROL,
        {"label": "From", "isRequired": True, "defaultValue": "JFK", "operator": "NE"},
        (
            ({"name": "taken"}, "Conflict", "name"),
            ({"datasetId": "@flights"}, "InvalidInput", "tableName"),
            ({"targets": {"widgetId": 1}}, "InvalidInput", "targets"),
            ({"targets": [{"widgetId": "w1"}]}, "InvalidInput", "targets"),
            ({"parentFilterId": "@flights"}, "InvalidInput", "parentFilterId"),
        ),
        needs=("GenDashboard",),
        blind=("bob", "stranger"),
    ),
    Entity(
        "GenTableFilter",
        "tableFilters",
        {
            "datasetId": "@flights",
            "tableName": "flights",
            "columnName": "time_hour",
            "kind": "TIME_RANGE",
            "operator": "BETWEEN",
            "isRequired": True,
        },
        {"label": "When", "defaultValue": ["2013-01-01T00:00:00Z", "2013-02-01T00:00:00Z"]},
        (
            ({"tableName": "taken"}, "Conflict", "operator"),
            ({"datasetId": "@secret"}, "InvalidInput", "datasetId"),
        ),
        writer="steward",
        readers=("admin", "ann", "bob"),
        denied=("ann", "bob"),
    ),
    Entity(
        "GenDatasetGroup",
        "datasetGroups",
        {"name": "Air traffic"},
        {"description": "All that flies", "position": 2},
        (({"name": "taken"}, "Conflict", "name"),),
        writer="admin",
        blind=("ann", "stranger"),
        told="NotAllowed",
    ),
    Entity(
        "GenDatasetMap",
        "datasetMaps",
        {"datasetId": "@flights", "tableName": "airports", "name": "all", "geometryColumn": "place", "maxZoom": 9},
        {"minZoom": 3},
        (
            ({"name": "taken"}, "Conflict", "name"),
            ({"datasetId": "@secret"}, "InvalidInput", "datasetId"),
            ({"maxZoom": 25}, "InvalidInput", "maxZoom"),
        ),
        writer="steward",
        readers=("admin", "ann"),
        denied=("ann",),
    ),
    Entity(
        "GenCurationOverride",
        "curationOverrides",
        {"datasetId": "@flights", "tableName": "flights", "columnName": "dep_delay", "unit": "min"},
        {"displayName": "Delay", "isHidden": True, "format": "0"},
        (
            ({"columnName": None}, "Conflict", "columnName"),
            ({"columnName": "taken"}, "Conflict", "columnName"),
            ({"datasetId": "@secret"}, "InvalidInput", "datasetId"),
        ),
        writer="steward",
        readers=("admin", "ann"),
        denied=("ann",),
    ),
    Entity(
        "GenTooltipTemplate",
        "tooltipTemplates",
        {
            "datasetId": "@flights",
            "tableName": "airports",
            "name": "short",
            "template": "**{{faa}}** {{name}}",
            "columnNames": ["faa", "name"],
        },
        {"template": "{{faa}}", "columnNames": ["faa"]},
        (({"name": "taken"}, "Conflict", "name"), ({"datasetId": "@secret"}, "InvalidInput", "datasetId")),
        writer="steward",
        readers=("admin", "ann"),
        denied=("ann",),
    ),
    Entity(
        "GenDiscoveryCheckpoint",
        "discoveryCheckpoints",
        {"datasetId": "@flights", "agent": "explorer", "state": {"seen": ["flights"]}},
        {"status": "RUNNING", "stage": "describe", "state": {"seen": ["flights", "planes"]}},
        (
            ({"agent": "taken"}, "Conflict", "agent"),
            ({"datasetId": "@secret"}, "InvalidInput", "datasetId"),
        ),
        writer="steward",
        readers=("admin", "ann"),
        denied=("ann",),
    ),
    Entity(
        "GenChatSession",
        "chatSessions",
        {"title": "Why so late?", "messages": [{"role": "user", "content": "Why?"}], "datasetId": "@flights"},
        {
            "messages": [
                {"role": "user", "content": "Why?", "at": "2026-01-01T00:00:00Z"},
                {"role": "agent", "content": "Fog.", "toolCalls": [{"name": "query_table", "arguments": {"n": 1}}]},
            ],
        },
        (({"datasetId": "@secret"}, "InvalidInput", "datasetId"),),
        readers=(),
        blind=("bob", "admin", "stranger"),
    ),
    Entity(
        "GenExternalApi",
        "externalApis",
        {
            "name": "Weather",
            "baseUrl": "https://weather.example/v1",
            "authorizationUrl": "https://weather.example/authorize",
            "tokenUrl": "https://weather.example/token",
            "clientId": "axion",
            "scopes": ["forecast"],
        },
        {"isEnabled": False},
        (
            ({"name": "taken"}, "Conflict", "name"),
            ({"baseUrl": "file:///etc/passwd"}, "InvalidInput", "baseUrl"),
            ({"tokenUrl": "https://user:secret@weather.example"}, "InvalidInput", "tokenUrl"),
        ),
        writer="admin",
        readers=("ann", "stranger"),
        blind=(),
        denied=("ann", "stranger"),
    ),
)
