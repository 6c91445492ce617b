"""What the stores answer to one operation is bounded all together, and the field that does not fit is told."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import orjson
import pytest

from gateway.http.operations import Operations
from gateway.http.request import GraphQLRequest
from gateway.lifespan import open_runtime
from gateway.settings import Settings
from resolvers.subject import ANONYMOUS, Subject
from schema.build import build, graphql_schema
from tests.system.conftest import env_file, sample_data

__all__ = ["env_file", "sample_data"]  # fixtures

Ask = Callable[[str, int | None], Awaitable[dict[str, Any]]]
ANALYST = Subject("demo|analyst", email="analyst@demo.example")
LOGS = "trackLogs(first: 100) { nodes { id rowId createdAt } }"
FRAMES = "frames(first: 1000) { nodes { id rowId trackId } }"


@pytest.fixture(scope="module")
async def ask(settings: Settings, sample_data: None) -> AsyncIterator[Ask]:
    """Asks with room for so many bytes, None for as much as the settings say; of None the anonymous asks."""
    operations = Operations(graphql_schema(build()), settings.limits)
    async with open_runtime(settings) as runtime:

        async def answered(document: str, room: int | None) -> dict[str, Any]:
            request = GraphQLRequest(query=document, operation_name=None, variables=None, extensions=None)
            context = runtime.new_context(ANONYMOUS if room is None else ANALYST, "test", None)
            assert context.ledger.room.most == settings.limits.max_answer_bytes
            context.ledger.room.most = room
            answer = operations.run(operations.prepare(request), request, context, with_stores=True)
            body = (await answer if inspect.isawaitable(answer) else answer).body
            found: dict[str, Any] = orjson.loads(orjson.dumps(body, default=str))
            return found

        yield answered


def told(answer: dict[str, Any]) -> list[tuple[str, list[str | int]]]:
    return [(error["extensions"]["code"], error["path"]) for error in answer["errors"]]


@pytest.mark.parametrize("field", [LOGS, FRAMES])
async def test_lists_that_fit_are_answered_beside_one_that_does_not(ask: Ask, field: str) -> None:
    document = "{ sense { a: " + field + " b: " + field + " c: " + field + " } }"
    whole = await ask(document, 1 << 30)
    assert "errors" not in whole
    assert len({orjson.dumps(found) for found in whole["data"]["sense"].values()}) == 1
    size = len(orjson.dumps(whole["data"]["sense"]["a"]))
    answer = await ask(document, 3 * size - 100)
    ((code, path),) = told(answer)
    assert code == "PAGE_TOO_LARGE"
    assert "Ask for fewer rows" in answer["errors"][0]["message"]
    expected = whole["data"]["sense"] | {str(path[1]): None}
    assert (path[0], answer["data"]["sense"]) == ("sense", expected)


async def test_a_crossing_that_does_not_fit_is_null_in_its_place(ask: Ask) -> None:
    crossing = "{ sense { trackLogs(first: 100) { nodes { rowId track { route } } } } }"
    whole = (await ask(crossing, 1 << 30))["data"]["sense"]["trackLogs"]["nodes"]
    answer = await ask(crossing, len(orjson.dumps(whole)))
    (first, *_) = [place for place, node in enumerate(whole) if node["track"]]
    assert told(answer) == [("PAGE_TOO_LARGE", ["sense", "trackLogs", "nodes", first, "track"])]
    assert answer["data"]["sense"]["trackLogs"]["nodes"] == [node | {"track": None} for node in whole]


async def test_nothing_is_built_for_the_anonymous(ask: Ask) -> None:
    """A page beyond the limit, and a malformed filter, are told to those who may read at all."""
    document = '{ sense { trackLogs(first: 2000) { totalCount } organization(id: "x") { id } } }'
    answer = await ask(document, None)
    assert told(answer) == [
        ("UNAUTHENTICATED", ["sense", "trackLogs"]),
        ("UNAUTHENTICATED", ["sense", "organization"]),
    ]
    assert answer["extensions"] == {"stores": {}}
