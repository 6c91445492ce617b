"""Trusted documents by every transport, in the ways clients ask for them."""

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import ValidationError

from tests.gateway.http.application import serving, settings_without_stores
from tests.gateway.http.test_websocket import connected, ready, told

HELLO = "query Hello($name: String) { hello(name: $name) }"
COUNT = "subscription { count(to: 1) { count } }"
ID = hashlib.sha256(HELLO.encode()).hexdigest()
APOLLO = {"persistedQuery": {"version": 1, "sha256Hash": ID}}
UNKNOWN = {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("trusted") / "manifest.json"
    file.write_text(json.dumps({ID: HELLO, "count": COUNT}))
    return file


@pytest.fixture(scope="module")
async def beside(manifest: Path) -> AsyncIterator[str]:
    """The endpoint where other documents are answered, too."""
    async with serving(settings_without_stores(trusted_documents={"file": manifest})) as origin:
        yield f"{origin}/graphql"


@pytest.fixture(scope="module")
async def only(manifest: Path) -> AsyncIterator[str]:
    """The endpoint where no other document is."""
    async with serving(settings_without_stores(trusted_documents={"file": manifest, "only": True})) as origin:
        yield f"{origin}/graphql"


async def post(client: aiohttp.ClientSession, url: str, **body: Any) -> tuple[int, Any]:
    async with client.post(url, json=body, headers={"accept": "application/graphql-response+json"}) as answer:
        return answer.status, await answer.json(content_type=None)


def codes(answer: Any) -> list[str]:
    assert "data" not in answer
    return [error["extensions"]["code"] for error in answer["errors"]]


@pytest.mark.parametrize(
    "body",
    [
        {"documentId": ID},
        {"documentId": f"sha256:{ID}"},
        {"extensions": APOLLO},
        {"query": HELLO},
        {"query": HELLO, "extensions": APOLLO},
        {"query": "", "documentId": ID, "operationName": "Hello"},
    ],
)
async def test_ways_to_ask(client: aiohttp.ClientSession, beside: str, only: str, body: dict[str, Any]) -> None:
    for url in (beside, only):
        status, answer = await post(client, url, variables={"name": "you"}, **body)
        assert (status, answer) == (200, {"data": {"hello": "Hello, you!"}})


async def test_by_get(client: aiohttp.ClientSession, only: str) -> None:
    async with client.get(only, params={"documentId": ID, "variables": '{"name": "you"}'}) as answer:
        assert await answer.json() == {"data": {"hello": "Hello, you!"}}


async def test_an_unknown_id(client: aiohttp.ClientSession, beside: str, only: str) -> None:
    """A client of automatically persisted queries sends the document then; it is answered, and not kept."""
    for _ in range(2):
        for url in (beside, only):
            status, answer = await post(client, url, extensions=UNKNOWN)
            assert (status, codes(answer)) == (400, ["PERSISTED_QUERY_NOT_FOUND"])
            assert answer["errors"][0]["message"] == "PersistedQueryNotFound"
            status, answer = await post(client, url, documentId="0" * 64)
            assert (status, codes(answer)) == (400, ["PERSISTED_QUERY_NOT_FOUND"])
            assert "send the document itself" in answer["errors"][0]["message"]
        assert await post(client, beside, query="{ hello }", extensions=UNKNOWN) == (
            200,
            {"data": {"hello": "Hello, world!"}},
        )


async def test_without_a_manifest(client: aiohttp.ClientSession) -> None:
    """Clients are told not to ask by id again."""
    async with serving(settings_without_stores()) as origin:
        status, answer = await post(client, f"{origin}/graphql", extensions=UNKNOWN)
    assert (status, codes(answer)) == (400, ["PERSISTED_QUERY_NOT_FOUND"])
    assert answer["errors"][0]["message"] == "PersistedQueryNotSupported"


@pytest.mark.parametrize("extensions", [None, UNKNOWN])
@pytest.mark.parametrize("query", ["{ hello }", "{ __schema { queryType { name } } }", HELLO + "\n", "{"])
async def test_no_other_document(
    client: aiohttp.ClientSession, only: str, query: str, extensions: dict[str, Any] | None
) -> None:
    status, answer = await post(client, only, query=query, extensions=extensions)
    assert (status, codes(answer)) == (403, ["DOCUMENT_NOT_TRUSTED"])


@pytest.mark.parametrize(
    "body",
    [
        {"query": "{ hello }", "documentId": ID},
        {"documentId": 1},
        {"documentId": ""},
        {"extensions": {"persistedQuery": ID}},
        {"extensions": {"persistedQuery": {"sha256Hash": 1}}},
        {"extensions": {"persistedQuery": {}}},
    ],
)
async def test_bad_requests(client: aiohttp.ClientSession, beside: str, body: dict[str, Any]) -> None:
    status, answer = await post(client, beside, **body)
    assert (status, codes(answer)) == (400, ["REQUEST_INVALID"])


async def test_by_websocket(client: aiohttp.ClientSession, only: str) -> None:
    async with connected(client, only) as connection:
        await ready(connection)
        await connection.send_json({"id": "1", "type": "subscribe", "payload": {"documentId": "count"}})
        assert (await told(connection))["payload"] == {"data": {"count": {"count": 1}}}
        assert (await told(connection))["type"] == "complete"
        await connection.send_json({"id": "2", "type": "subscribe", "payload": {"query": "{ hello }"}})
        assert (await told(connection))["payload"][0]["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"


async def test_as_events(client: aiohttp.ClientSession, only: str) -> None:
    headers = {"accept": "text/event-stream"}
    async with client.post(only, json={"documentId": "count"}, headers=headers) as answer:
        assert b'"count":1' in await answer.read()
    async with client.post(only, json={"query": "{ hello }"}, headers=headers) as answer:
        assert b"DOCUMENT_NOT_TRUSTED" in await answer.read()


def test_only_nothing() -> None:
    with pytest.raises(ValidationError, match="nothing would be answered"):
        settings_without_stores(trusted_documents={"only": True})
