"""The nearest of the sample data, asked as GraphQL, against an exact scan."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import orjson
import pytest
from sqlalchemy.engine import make_url

from gateway.http.operations import Operations
from gateway.http.request import GraphQLRequest
from gateway.lifespan import open_runtime
from gateway.settings import Settings
from loaders.vectors.local import LocalHashing
from resolvers.subject import Subject
from schema.build import build, graphql_schema
from tests.system.conftest import env_file, sample_data

__all__ = ["env_file", "sample_data"]  # fixtures

Ask = Callable[..., Awaitable[Any]]
TEXT = "websocket close code"
EXACT = """
SELECT id::text, 1 - (embedding <=> $1::text::vector) AS score FROM rag_chunks
WHERE workspace_path = '/samples/starlette' AND content ILIKE $2 ORDER BY embedding <=> $1::text::vector, id
"""
LIST = """
query Near($by: VectorInput!, $like: String!, $first: Int, $after: String, $last: Int) { aura { ragChunks(
  nearest: {embedding: $by}, first: $first, after: $after, last: $last
  where: {workspace: {path: {eq: "/samples/starlette"}}, content: {ilike: $like}}
) { totalCount nodes { rowId score } pageInfo { hasNextPage endCursor } } } }
"""
NESTED = """
query Nested($by: VectorInput!, $like: String!) { aura { workspaces { nodes { path
  chunks(nearest: {embedding: $by}, where: {content: {ilike: $like}}, first: 7) { nodes { rowId score } } } } } }
"""
SEARCH = """
query Search($id: ID!, $text: String!, $like: String!) { aura {
  search(workspaceId: $id, text: $text, where: {content: {ilike: $like}}, first: 7) { nodes { rowId score } } } }
"""


@pytest.fixture(scope="module")
async def ask(settings: Settings, sample_data: None) -> AsyncIterator[Ask]:
    operations = Operations(graphql_schema(build()), settings.limits)
    async with open_runtime(settings) as runtime:

        async def answered(document: str, variables: dict[str, Any] | None = None, user: str = "admin") -> Any:
            request = GraphQLRequest(document, None, variables, None)
            context = runtime.new_context(Subject(f"demo|{user}"), "test", None)
            answer = operations.run(operations.prepare(request), request, context, with_stores=True)
            body = orjson.loads((await answer if inspect.isawaitable(answer) else answer).encode())
            assert "errors" not in body, body["errors"]
            return body

        yield answered


@pytest.fixture(scope="module")
async def vector(settings: Settings) -> list[float]:
    (found,) = await LocalHashing(settings.embeddings.dimensions).embed([TEXT])
    return found


@pytest.fixture(scope="module")
async def exact(admin_url: str, vector: list[float], sample_data: None) -> AsyncIterator[Callable[..., Any]]:
    url = make_url(admin_url).set(database="auradb").render_as_string(hide_password=False)
    connection = await asyncpg.connect(url)

    async def scanned(like: str) -> list[tuple[str, float]]:
        rows = await connection.fetch(EXACT, orjson.dumps([float(number) for number in vector]).decode(), like)
        return [(row["id"], row["score"]) for row in rows]

    yield scanned
    await connection.close()


def _same(nodes: list[dict[str, Any]], rows: list[tuple[str, float]]) -> None:
    assert [node["rowId"] for node in nodes] == [row[0] for row in rows]
    assert [node["score"] for node in nodes] == pytest.approx([row[1] for row in rows], abs=1e-6)


@pytest.mark.parametrize("like", ["%", "%async def%", "%websocket%"])
async def test_a_filtered_list_of_the_nearest(ask: Ask, exact: Any, vector: list[float], like: str) -> None:
    rows = await exact(like)
    assert len(rows) > 7
    for by in ({"text": TEXT}, {"vector": [float(number) * 3 for number in vector]}):
        answer = await ask(LIST, {"by": by, "like": like, "first": 7})
        found = answer["data"]["aura"]["ragChunks"]
        _same(found["nodes"], rows[:7])
        assert found["totalCount"] == len(rows)
        assert answer["extensions"]["stores"]["auradb"]["statements"] == 1
    last = (await ask(LIST, {"by": {"text": TEXT}, "like": like, "last": 3}))["data"]["aura"]["ragChunks"]
    _same(last["nodes"], rows[-3:])


async def test_a_walk_by_similarity_shows_every_row_once(ask: Ask, exact: Any) -> None:
    rows = await exact("%def %")
    nodes: list[dict[str, Any]] = []
    page: dict[str, Any] = {"hasNextPage": True, "endCursor": None}
    while page["hasNextPage"]:
        asked = {"by": {"text": TEXT}, "like": "%def %", "first": 20, "after": page["endCursor"]}
        found = (await ask(LIST, asked))["data"]["aura"]["ragChunks"]
        nodes += found["nodes"]
        page = found["pageInfo"]
    _same(nodes, rows)


async def test_nested_lists_and_the_search_are_the_same_read(ask: Ask, exact: Any) -> None:
    rows = (await exact("%async def%"))[:7]
    variables = {"by": {"text": TEXT}, "like": "%async def%"}
    answer = await ask(NESTED, variables)
    workspaces = answer["data"]["aura"]["workspaces"]["nodes"]
    (found,) = (node["chunks"]["nodes"] for node in workspaces if node["path"] == "/samples/starlette")
    _same(found, rows)
    assert answer["extensions"]["stores"]["auradb"]["statements"] == 1
    ids = await ask('{ aura { workspaces(where: {path: {eq: "/samples/starlette"}}) { nodes { id } } } }')
    (workspace,) = ids["data"]["aura"]["workspaces"]["nodes"]
    searched = await ask(SEARCH, {"id": workspace["id"], "text": TEXT, "like": "%async def%"})
    assert searched["data"]["aura"]["search"]["nodes"] == found


async def test_a_stranger_finds_nothing(ask: Ask) -> None:
    found = await ask(LIST, {"by": {"text": TEXT}, "like": "%"}, user="stranger")
    assert found["data"]["aura"]["ragChunks"]["nodes"] == []
    assert found["data"]["aura"]["ragChunks"]["totalCount"] == 0
