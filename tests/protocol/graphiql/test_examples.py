from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from graphql import GraphQLSchema, parse
from starlette.applications import Starlette

from deploy.local.paths import CHECKOUT
from gateway.http.documents import Documents
from gateway.http.graphiql import Explorer
from gateway.settings import Limits
from schema.build import build, graphql_schema
from tests.gateway.auth.serving import serving
from tests.protocol.graphiql.test_page import References

EXAMPLES = sorted((CHECKOUT / "deploy" / "graphiql" / "examples").glob("*.graphql"))


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return graphql_schema(build())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_is_valid(schema: GraphQLSchema, path: Path) -> None:
    """Against the gateway's own schema and within its default limits, each operation of it."""
    text = path.read_text()
    operations: list[Any] = list(parse(text).definitions)
    assert operations
    documents = Documents(schema, Limits())
    for operation in operations:
        documents.prepare(text, operation.name.value)
    variables = path.with_suffix(".variables.json")
    declared = {variable.variable.name.value for each in operations for variable in each.variable_definitions or ()}
    assert set(orjson.loads(variables.read_bytes()) if variables.exists() else {}) == declared


async def page_json(users: tuple[str, ...]) -> Any:
    async with (
        serving(Starlette(routes=Explorer(users).routes())) as origin,
        aiohttp.ClientSession(origin) as client,
    ):
        page = References(await (await client.get("/graphiql")).text())
        return await (await client.get(next(url for url in page.urls if url.endswith(".json")))).json()


async def test_examples_are_the_tabs() -> None:
    page = await page_json(())
    assert [tab["query"] for tab in page["examples"]] == [path.read_text() for path in EXAMPLES]
    assert page["users"] == []


async def test_demo_users_are_offered() -> None:
    assert (await page_json(("admin", "analyst")))["users"] == ["admin", "analyst"]
