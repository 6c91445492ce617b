"""Who may ask for the schema: everyone, or whoever has signed in, by every transport."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import aiohttp
import pytest

from loaders.errors import Code
from loaders.ledger import Ledger
from resolvers.subject import Subject
from tests.gateway.http.application import serving, settings_without_stores
from tests.gateway.http.test_websocket import connected, ready, subscribe, told

SCHEMA = "{ __schema { queryType { name } } }"
ASKING = (
    SCHEMA,
    '{ __typename t: __type(name: "Query") { name } }',
    f"query {{ ... {{ ...F }} }} fragment F on Query {SCHEMA}",
)
SIGNED_IN = {"authorization": "Bearer anything"}
REFUSED = {"code": "UNAUTHENTICATED"}
DENIED = ("field:Query.__schema", Code.UNAUTHENTICATED)


class Callers:
    """Who sends a token has signed in."""

    async def subject(self, authorization: str, _: Ledger) -> tuple[Subject, datetime | None]:
        return Subject("auth0|1"), None


class Noted(list[tuple[str, Code]]):
    """The denials of the anonymous."""

    def denied(self, subject_id: str, request_id: str, resource: str, code: Code) -> None:
        assert (subject_id, bool(request_id)) == ("", True)
        self.append((resource, code))


@pytest.fixture(scope="module")
def denials() -> Noted:
    return Noted()


@pytest.fixture
def noted(denials: Noted) -> Noted:
    """Of this test."""
    denials.clear()
    return denials


@pytest.fixture(scope="module")
async def closed(denials: Noted) -> AsyncIterator[str]:
    """The endpoint where it takes signing in."""
    settings = settings_without_stores(http={"anonymous_introspection": False})
    async with serving(settings, callers=Callers(), denials=denials) as origin:
        yield f"{origin}/graphql"


async def ask(client: aiohttp.ClientSession, url: str, query: str, **headers: str) -> Any:
    async with client.post(url, json={"query": query}, headers=headers) as answer:
        return await answer.json()


@pytest.mark.parametrize("query", ASKING)
async def test_everyone_unless_it_is_set(client: aiohttp.ClientSession, url: str, query: str) -> None:
    assert "errors" not in await ask(client, url, query)


async def test_who_has_not_signed_in_is_refused(client: aiohttp.ClientSession, closed: str, noted: Noted) -> None:
    """Before and after somebody else's answer is kept."""
    for query in ASKING:
        for _ in range(2):
            (error,) = (refused := await ask(client, closed, query))["errors"]
            assert error["extensions"] == REFUSED
            assert "data" not in refused
            assert "errors" not in await ask(client, closed, query, **SIGNED_IN)
    assert noted == [DENIED] * 2 * len(ASKING)
    assert await ask(client, closed, "{ __typename }") == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("accept", ["application/vnd.apache.arrow.stream", "text/event-stream", "multipart/mixed"])
async def test_by_other_answers(client: aiohttp.ClientSession, closed: str, noted: Noted, accept: str) -> None:
    async with client.post(closed, json={"query": SCHEMA}, headers={"accept": accept}) as answer:
        text = await answer.text()
    assert '"code":"UNAUTHENTICATED"' in text
    assert "queryType" not in text
    assert noted == [DENIED]


async def test_by_websocket(client: aiohttp.ClientSession, closed: str, noted: Noted) -> None:
    async with connected(client, closed) as anonymous, connected(client, closed) as signed_in:
        await subscribe(await ready(anonymous), SCHEMA)
        message = await told(anonymous)
        assert (message["type"], message["payload"][0]["extensions"]) == ("error", REFUSED)
        await subscribe(await ready(signed_in, **SIGNED_IN), SCHEMA)
        assert (await told(signed_in))["payload"]["data"] == {"__schema": {"queryType": {"name": "Query"}}}
    assert noted == [DENIED]


async def test_no_name_is_proposed(client: aiohttp.ClientSession, closed: str, url: str) -> None:
    for at, proposed in ((url, True), (closed, False)):
        (error,) = (await ask(client, at, "{ helo }"))["errors"]
        assert ("Did you mean" in error["message"]) == proposed
