"""A field for fewer than see its row: null and `FORBIDDEN` elsewhere, by every way in, and never an oracle."""

import json
from typing import Any

import pytest

from gateway.http.media_type import Parts
from gateway.http.parts import InParts
from gateway.http.request import GraphQLRequest
from loaders.openfga import names
from loaders.read import Col, Computed, Field, Read
from resolvers.permissions.guards import Visible, WithFields
from resolvers.permissions.station import guards_of
from resolvers.subject import Subject
from schema.mapping.object import OBJECTS, policies
from tests.guards.conftest import Granted
from tests.plans.ways import Ways

SEES_ALL = ("has_view_dataset", names.SYSTEM)
LAKE = ("has_admin_datasource", names.datasource("flights-lake"))


@pytest.fixture
async def half(granted: Granted) -> Subject:
    """Sees both data sources, and administers `flights-lake`."""
    return await granted(roles=(SEES_ALL, LAKE))


async def asked(ways: Ways, document: str, subject: Subject, variables: dict[str, Any] | None = None) -> Any:
    """The same answer by the plan and by the executor."""
    planned = await ways.answered(document, variables, subject)
    assert planned == await ways.executed(document, variables, subject)
    return json.loads(planned)


async def test_a_denied_field_is_null_with_one_entry(ways: Ways, half: Subject) -> None:
    document = """
    { gen { dataSources(orderBy: [{name: ASC}]) {
      nodes { name version: keyVersion keyVersion } edges { node { keyVersion } }
    } } }
    """
    answer = await asked(ways, document, half)
    nodes = answer["data"]["gen"]["dataSources"]["nodes"]
    assert [(node["name"], node["version"] is None, node["keyVersion"] is None) for node in nodes] == [
        ("flights-clickhouse", True, True),
        ("flights-lake", False, False),
    ]
    assert answer["errors"] == [
        {
            "message": "You may not see this field: it is null.",
            "path": ["gen", "dataSources", *path],
            "extensions": {"code": "FORBIDDEN"},
        }
        for path in (["edges", 0, "node", "keyVersion"], ["nodes", 0, "keyVersion"], ["nodes", 0, "version"])
    ]


async def test_who_sees_all_has_no_entry(ways: Ways) -> None:
    answer = json.loads(await ways.answered("{ gen { dataSources { nodes { keyVersion } } } }"))
    assert "errors" not in answer
    assert all(node["keyVersion"] is not None for node in answer["data"]["gen"]["dataSources"]["nodes"])


async def test_nested_and_by_id(ways: Ways, half: Subject) -> None:
    document = (
        "{ gen { datasets(orderBy: [{name: ASC}]) { nodes { id name tableNames dataSource { id keyVersion } } } } }"
    )
    answer = await asked(ways, document, half)
    datasets = answer["data"]["gen"]["datasets"]["nodes"]
    assert {node["name"]: node["dataSource"]["keyVersion"] is not None for node in datasets} == {
        "nycflights13": False,
        "nycflights13-lake": True,
    }
    assert sorted(error["path"][-1] for error in answer["errors"]) == ["keyVersion", "tableNames"]
    for node in datasets:
        document = "query N($id: ID!) { node(id: $id) { ... on GenDataSource { keyVersion } } }"
        by_id = await asked(ways, document, half, {"id": node["dataSource"]["id"]})
        assert by_id["data"]["node"]["keyVersion"] == node["dataSource"]["keyVersion"]
        assert ("errors" in by_id) == (node["name"] == "nycflights13")


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("{keyVersion: {isNull: true}}", ["flights-clickhouse"]),
        ("{keyVersion: {eq: 1}}", ["flights-lake"]),
        ("{keyVersion: {ne: 2}}", ["flights-lake"]),
        ("{not: {keyVersion: {eq: 1}}}", []),
        ("{keyVersion: {gt: 0}}", ["flights-lake"]),
        ("{datasets: {some: {dataSource: {keyVersion: {eq: 1}}}}}", ["flights-lake"]),
    ],
)
async def test_a_filter_feels_null(ways: Ways, half: Subject, where: str, found: list[str]) -> None:
    document = "{ gen { dataSources(where: WHERE) { totalCount nodes { name } } } }".replace("WHERE", where)
    answer = await asked(ways, document, half)
    assert "errors" not in answer  # nothing denied is shown
    assert [node["name"] for node in answer["data"]["gen"]["dataSources"]["nodes"]] == found
    assert answer["data"]["gen"]["dataSources"]["totalCount"] == len(found)


async def test_orders_cursors_and_figures_feel_null(ways: Ways, half: Subject) -> None:
    document = """
    query Page($after: String) {
      gen {
        dataSources(first: 1, after: $after, orderBy: [{keyVersion: ASC}]) {
          nodes { name }
          pageInfo { endCursor hasNextPage }
          aggregate { count countDistinct { keyVersion } sum { keyVersion } }
        }
        groups: dataSources { aggregate(groupBy: [{field: KEY_VERSION}]) { key { keyVersion } count } }
      }
    }
    """
    first = (await asked(ways, document, half))["data"]["gen"]
    assert first["dataSources"]["nodes"] == [{"name": "flights-lake"}]
    assert first["dataSources"]["aggregate"] == [
        {"count": 2, "countDistinct": {"keyVersion": 1}, "sum": {"keyVersion": "1"}}
    ]
    assert first["groups"]["aggregate"] == [
        {"key": {"keyVersion": 1}, "count": 1},
        {"key": {"keyVersion": None}, "count": 1},
    ]
    after = {"after": first["dataSources"]["pageInfo"]["endCursor"]}
    second = (await asked(ways, document, half, after))["data"]["gen"]["dataSources"]
    assert second["nodes"] == [{"name": "flights-clickhouse"}]
    assert not second["pageInfo"]["hasNextPage"]


@pytest.mark.parametrize(("column", "guard"), [("name", Visible), ("key_version", WithFields)])
def test_the_guard_is_asked_only_where_the_field_is_used(column: str, guard: type) -> None:
    table = OBJECTS["GenDataSource"].table
    read = Read(table, fields=(Field("x", Computed(Col(column))),))
    assert isinstance(guards_of(read, policies())[table], guard)


async def test_a_denied_field_that_is_deferred_is_told_in_its_part(ways: Ways) -> None:
    document = "{ gen { datasets(first: 1) { nodes { id tables { name } ... @defer { tableNames } } } } }"
    request = GraphQLRequest(query=document, operation_name=None, variables=None, extensions=None)
    operation, context = ways.operations.prepare(request), ways.context("analyst")
    answer = await ways.operations.run_in_parts(operation, request, context, Parts.BY_ID)
    assert isinstance(answer, InParts)
    first = json.loads(answer.first().body)
    assert "errors" not in first
    assert "tableNames" not in first["data"]["gen"]["datasets"]["nodes"][0]
    second = await answer.next()
    assert second.is_last
    (deferred,) = json.loads(second.body)["incremental"]
    assert deferred["data"] == {"tableNames": None}
    (error,) = deferred["errors"]
    assert error["path"] == ["gen", "datasets", "nodes", 0, "tableNames"]
    assert error["extensions"]["code"] == "FORBIDDEN"
