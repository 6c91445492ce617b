"""`nodes(ids:)`: each id is answered independently of the others."""

import inspect

import orjson

from gateway.http.documents import Documents
from gateway.http.execution import execute
from gateway.settings import Limits
from loaders.encode.node_id import encode_node_id
from resolvers.gen import data_sources
from resolvers.gen.data_sources import DataSourceCreate
from schema.build import build, graphql_schema
from tests.resolvers.gen.conftest import As

QUERY = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename ... on GenDataSource { name } } viewer { subject } }"


async def test_an_id_that_cannot_be_answered_nulls_itself_only(as_: As) -> None:
    settings = {"url": "http://127.0.0.1:1"}
    made = await data_sources.create_data_source(as_("admin"), DataSourceCreate("one", "clickhouse", settings))
    good = encode_node_id("GenDataSource", [str(made.id)])
    absent = encode_node_id("GenDataSource", ["01980000-0000-7000-8000-000000000000"])
    schema = graphql_schema(build())
    operation = Documents(schema, Limits()).prepare(QUERY, None)

    result = execute(schema, operation, {"ids": [good, "nonsense", absent]}, as_("admin"))
    assert inspect.isawaitable(result)
    answer = await result

    assert orjson.loads(orjson.dumps(answer.data)) == {
        "nodes": [{"__typename": "GenDataSource", "name": "one"}, None, None],
        "viewer": {"subject": "admin"},
    }
    assert [error.path for error in answer.errors or []] == [["nodes", 1]]
