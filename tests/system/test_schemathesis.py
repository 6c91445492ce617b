"""Generated documents as each demo user: never a 5xx, and every error with a code of the closed list."""

import os
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import requests
import schemathesis
from graphql import GraphQLObjectType, GraphQLSchema
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from schemathesis.graphql import nodes
from schemathesis.schemas import BaseSchema

from loaders.errors import Code
from schema.build import build, graphql_schema
from tests.system.client import Client
from tests.system.stores import Direct


def _fields(schema: GraphQLSchema, root: str) -> list[str]:
    type_ = schema.get_type(root)
    assert isinstance(type_, GraphQLObjectType)
    return list(type_.fields)


EXAMPLES = 10
"""Of each root field, for each user."""
SEED = int(os.environ.get("AXION_TEST_SEED", "20261121"))
_SCHEMA = graphql_schema(build())
FIELDS = [f"{root}.{field}" for root in ("Query", "Mutation") for field in _fields(_SCHEMA, root)]
UNFORESEEN = {Code.INTERNAL_ERROR.value}
_POINTS = ['{"type": "Point", "coordinates": [2.3, 48.9]}', '{"type": "Point"}', "nowhere"]
SCALARS = {
    "BigInt": st.integers(-(2**70), 2**70).map(str).map(nodes.String) | st.integers().map(nodes.Int),
    "JSON": st.text().map(nodes.String) | st.integers().map(nodes.Int) | st.booleans().map(nodes.Boolean),
    "GeoJSON": st.sampled_from(_POINTS).map(nodes.String),
    "H3Index": st.sampled_from(["891fb466257ffff", "8f", "", "zz"]).map(nodes.String),
}


@pytest.fixture(scope="module")
def described(client: Client) -> BaseSchema:
    for name, strategy in SCALARS.items():
        schemathesis.graphql.scalar(name, strategy)
    return schemathesis.graphql.from_url(f"{client.url}/graphql")


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def _operations(described: BaseSchema) -> dict[str, Any]:
    """By their labels, such as `Query.viewer`."""
    found = [result.ok() for result in described.get_all_operations() if isinstance(result, Ok)]
    return {operation.label: operation for operation in found}


def test_every_root_field_is_tried(described: BaseSchema) -> None:
    assert set(_operations(described)) == set(FIELDS)


@pytest.mark.parametrize("user", ["admin", "analyst", "stranger", None])
@pytest.mark.parametrize("field", FIELDS)
def test_generated_documents(
    client: Client, described: BaseSchema, session: requests.Session, field: str, user: str | None
) -> None:
    operation = _operations(described)[field]
    headers = client.headers(user)

    @seeded(SEED)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def answers(case: Any) -> None:
        body = orjson.dumps({"query": case.body})
        sent = session.post(f"{client.url}/graphql", body, headers={**headers, "content-type": "application/json"})
        told = f"AXION_TEST_SEED={SEED}: {case.body!r} answered {sent.status_code} {sent.text[:500]}"
        assert sent.status_code == 200, told
        answer = orjson.loads(sent.content)
        assert "data" in answer or "errors" in answer, told
        for error in answer.get("errors", []):
            assert error["message"], told
            assert error["extensions"]["code"] in {code.value for code in Code} - UNFORESEEN, told

    answers()


async def test_nothing_was_made(client: Client, direct: Direct) -> None:
    """The mutations above were all refused: generated settings fit no connector."""
    rows = await direct.postgres("axion_gen", "SELECT name FROM data_sources WHERE name NOT LIKE '%-%'")
    assert rows == []
