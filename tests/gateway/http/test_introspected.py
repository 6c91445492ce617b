"""The schema as graphql-core tells it, read once for all documents that ask for the same."""

import asyncio
from collections.abc import Iterator
from typing import Any

import aiohttp
import orjson
import pytest
from graphql import GraphQLSchema, execute_sync, get_introspection_query, parse

from gateway.http import introspected
from gateway.http.answer import Answer
from gateway.http.operations import Operations
from gateway.http.request import GraphQLRequest, from_parameters
from gateway.http.schema_elements import Selection
from gateway.settings import Limits
from resolvers.subject import ANONYMOUS
from schema.build import build, graphql_schema
from tests.gateway.http.application import new_context
from tests.gateway.http.test_websocket import connected, ready, subscribe, told
from tests.gateway.http.toy import SCHEMA

TOY: GraphQLSchema = SCHEMA._schema
WHOLE = get_introspection_query(
    specified_by_url=True, directive_is_repeatable=True, schema_description=True, input_value_deprecation=True
)
ASKED = [
    WHOLE,
    "{ __schema { __typename queryType { __typename name ofType { name } } mutationType { name kind } } }",
    "{ a: __schema { ...F } hello } fragment F on __Schema { types { ... on __Type { name fields { name } } } }",
    '{ a: __type(name: "Query") { name isOneOf } b: __type(name: "Absent") { name } __type(name: "Int") { kind } }',
    '{ __type(name: "Query") { fields { name args { name defaultValue type { kind ofType { name kind } } } } } }',
    '{ __type(name: "__TypeKind") { enumValues { name description isDeprecated deprecationReason } } }',
    "{ __schema { directives { name locations isRepeatable args { name type { name } } } } }",
    "{ __schema { queryType { name @skip(if: true) } } }",
    "{ __schema { queryType { name } queryType { kind } } __schema { description } }",
]
VARIED = [
    (
        "query ($a: Boolean!) { hello @skip(if: $a) __schema { queryType { name } types { name @include(if: $a) } } }",
        {"a": True},
    ),
    (
        "query ($a: Boolean!) { hello @skip(if: $a) __schema { queryType { name } types { name @include(if: $a) } } }",
        {"a": False},
    ),
    ("query ($n: String!, $d: Boolean) { __type(name: $n) { fields(includeDeprecated: $d) { name } } }", {"n": "Item"}),
]


async def answered(operations: Operations, query: str, variables: Any = None) -> bytes:
    request: GraphQLRequest = from_parameters({"query": query, "variables": variables})
    answer = operations.run(operations.prepare(request), request, new_context(ANONYMOUS, "1"))
    return (answer if isinstance(answer, Answer) else await answer).encode()


def by_graphql_core(schema: GraphQLSchema, query: str, variables: Any = None) -> bytes:
    result = execute_sync(schema, parse(query), variable_values=variables)
    assert result.errors is None
    return orjson.dumps({"data": result.data})


@pytest.mark.parametrize(("query", "variables"), [*((query, None) for query in ASKED), *VARIED])
async def test_as_graphql_core_has_it(query: str, variables: Any) -> None:
    operations = Operations(TOY, Limits())
    expected = by_graphql_core(TOY, query, variables)
    for _ in range(2):
        assert await answered(operations, query, variables) == expected


async def test_the_whole_of_the_real_schema() -> None:
    schema = graphql_schema(build())
    assert await answered(Operations(schema, Limits()), WHOLE) == by_graphql_core(schema, WHOLE)


async def test_a_null_where_an_argument_takes_none_is_the_callers_mistake() -> None:
    query = 'query ($d: Boolean = true) { hello __type(name: "Item") { fields(includeDeprecated: $d) { name } } }'
    answer = orjson.loads(await answered(Operations(TOY, Limits()), query, {"d": None}))
    assert answer["data"] == {"hello": "Hello, world!", "__type": None}
    assert [error["path"] for error in answer["errors"]] == [["__type"]]


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """What is read of the schema from here on, of which nothing is kept yet."""
    made: list[object] = []

    class Counted(introspected._Kept):
        def read(self, source: Any, selection: Selection) -> bytes:
            made.append(selection)
            return super().read(source, selection)

    monkeypatch.setattr(introspected, "_Kept", Counted)
    introspected._kept.pop(TOY, None)
    yield made
    introspected._kept.pop(TOY, None)


SAME = "{ __schema { types { name fields { name } } } }"


async def test_read_once_whatever_stands_around_it(readings: list[object]) -> None:
    operations = Operations(TOY, Limits())
    for n in range(3):
        await answered(operations, f"{SAME} #{n}")
        await answered(operations, SAME.replace("__schema", f"a{n}: __schema"))
        await answered(
            operations, f"query ($a{n}: Boolean!) {{ __typename @skip(if: $a{n}) {SAME[1:]}", {f"a{n}": True}
        )
        await answered(operations, f"{{ ...F{n} }} fragment F{n} on Query {SAME}")
    assert len(readings) == 1


async def test_read_once_for_those_who_ask_at_the_same_time(readings: list[object]) -> None:
    operations = Operations(TOY, Limits())
    answers = await asyncio.gather(*(answered(operations, SAME) for _ in range(20)))
    assert len(set(answers)) == 1
    assert len(readings) == 1


async def test_read_once_for_every_transport(client: aiohttp.ClientSession, url: str, readings: list[object]) -> None:
    for accept in ("application/json", "text/event-stream", "multipart/mixed", "application/vnd.apache.arrow.stream"):
        async with client.post(url, json={"query": SAME}, headers={"accept": accept, "x-axion-stores": "1"}) as answer:
            await answer.read()
    async with connected(client, url) as socket:
        await subscribe(await ready(socket), SAME, extensions={"stores": True})
        assert (await told(socket))["payload"]["data"]["__schema"]["types"]
    assert len(readings) == 1


async def test_what_was_asked_weighs_as_much_as_it_holds() -> None:
    """An answer of a few bytes is kept under a selection of many fields."""
    introspected._kept.pop(TOY, None)
    asked = '{ __type(name: "Query") { ' + "ofType { name kind isOneOf description " * 9 + "}" * 9 + "} }"
    answer = await answered(Operations(TOY, Limits()), asked)
    assert len(answer) < 100
    assert introspected._kept[TOY]._answers.weight >= 45 * introspected._FIELD_BYTES
    introspected._kept.pop(TOY, None)
