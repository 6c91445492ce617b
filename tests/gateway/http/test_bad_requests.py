"""What bad input gets: a status and one error with a code, whatever is wrong with the request."""

import asyncio
import gzip
import json
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from gateway.http import body as body_reader
from tests.gateway.http.application import serving, settings_without_stores
from tests.gateway.http.toy import NOTES

GRAPHQL = "application/graphql-response+json"
JSON = {"content-type": "application/json"}


async def post(client: aiohttp.ClientSession, url: str, body: Any, **headers: str) -> tuple[int, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with client.post(url, data=data, headers={**JSON, "accept": GRAPHQL, **headers}) as answer:
        return answer.status, await answer.json(content_type=None)


BODIES: list[tuple[bytes | object, int, str]] = [
    (b"", 400, "REQUEST_INVALID"),
    (b'{"query": "{ hello', 400, "REQUEST_INVALID"),
    (b"\xff\xfe", 400, "REQUEST_INVALID"),
    (b"[" * 100_000, 400, "REQUEST_INVALID"),
    (b"null", 400, "REQUEST_INVALID"),
    (b'"{hello}"', 400, "REQUEST_INVALID"),
    ([{"query": "{hello}"}], 400, "REQUEST_INVALID"),
    ({}, 400, "REQUEST_INVALID"),
    ({"query": ""}, 400, "REQUEST_INVALID"),
    ({"query": 1}, 400, "REQUEST_INVALID"),
    ({"query": "{hello}", "variables": []}, 400, "REQUEST_INVALID"),
    ({"query": "{hello}", "variables": "{}"}, 400, "REQUEST_INVALID"),
    ({"query": "{hello}", "operationName": 1}, 400, "REQUEST_INVALID"),
    ({"query": "{hello}", "extensions": 1}, 400, "REQUEST_INVALID"),
    ({"query": "{hello}", "operationName": "other"}, 400, "REQUEST_INVALID"),
    ({"query": "query a {hello} query b {hello}"}, 400, "REQUEST_INVALID"),
    ({"query": "fragment f on Query {hello}"}, 400, "GRAPHQL_VALIDATION_FAILED"),
    ({"query": "subscription {count(to: 1) {count}}"}, 400, "REQUEST_INVALID"),
    ({"query": "{"}, 400, "GRAPHQL_PARSE_FAILED"),
    ({"query": "{" * 50_000}, 400, "DOCUMENT_TOO_COMPLEX"),
    ({"query": "{a" * 600}, 400, "GRAPHQL_PARSE_FAILED"),
    ({"query": "{ absent }"}, 400, "GRAPHQL_VALIDATION_FAILED"),
    ({"query": '{ hello(name: "' + "x" * 10 + '", nom: 1) }'}, 400, "GRAPHQL_VALIDATION_FAILED"),
    ({"query": "{ ...f } fragment f on Query { ...f }"}, 400, "GRAPHQL_VALIDATION_FAILED"),
    ({"query": "query ($name: String!) { hello(name: $name) }"}, 400, "BAD_USER_INPUT"),
    ({"query": "query ($name: String!) { hello(name: $name) }", "variables": {"name": 1}}, 400, "BAD_USER_INPUT"),
    ({"query": "{hello}", "variables": {"where": {"or": [{}] * 2_000}}}, 400, "DOCUMENT_TOO_COMPLEX"),
    ({"query": "{hello}", "variables": {"deep": [[[{}]]] * 2_000}}, 400, "DOCUMENT_TOO_COMPLEX"),
    ({"query": "mutation { set(value: " + "9" * 5_000 + ") }"}, 400, "GRAPHQL_VALIDATION_FAILED"),
]


@pytest.mark.parametrize(("body", "status", "code"), BODIES, ids=lambda value: repr(value)[:60])
async def test_bodies(client: aiohttp.ClientSession, url: str, body: Any, status: int, code: str) -> None:
    got, answer = await post(client, url, body)
    assert (got, answer["errors"][0]["extensions"]["code"]) == (status, code)
    assert "data" not in answer
    assert all(error["message"] for error in answer["errors"])


@pytest.mark.parametrize(
    ("content_type", "code"),
    [
        ("text/plain", "CSRF_REFUSED"),
        ("application/x-www-form-urlencoded", "CSRF_REFUSED"),
        ("multipart/form-data; boundary=x", "CSRF_REFUSED"),
        ("application/graphql", "REQUEST_INVALID"),
        ("application/json; charset=iso-8859-1", "REQUEST_INVALID"),
    ],
)
async def test_content_types(client: aiohttp.ClientSession, url: str, content_type: str, code: str) -> None:
    status, answer = await post(client, url, {"query": "{hello}"}, **{"content-type": content_type})
    assert (status, answer["errors"][0]["extensions"]["code"]) == (415, code)


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip"])
async def test_compressed_bodies(client: aiohttp.ClientSession, url: str, encoding: str) -> None:
    """A small body may unfold to a large one, so none is unpacked."""
    headers = {"content-type": "application/json", "content-encoding": encoding}
    async with client.post(url, data=gzip.compress(b'{"query": "{hello}"}'), headers=headers) as answer:
        assert (answer.status, answer.headers["accept-encoding"]) == (415, "identity")
        assert "Content-Encoding" in (await answer.json())["errors"][0]["message"]


async def test_a_body_that_says_it_is_as_it_is(client: aiohttp.ClientSession, url: str) -> None:
    status, _ = await post(client, url, {"query": "{hello}"}, **{"content-encoding": "Identity"})
    assert status == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_methods(client: aiohttp.ClientSession, url: str, method: str) -> None:
    async with client.request(method, url, json={"query": "{hello}"}) as answer:
        assert (answer.status, answer.headers["allow"]) == (405, "GET, POST")
        assert (await answer.json())["errors"][0]["extensions"]["code"] == "REQUEST_INVALID"
        assert "access-control-allow-origin" not in answer.headers


async def test_mutation_by_get(client: aiohttp.ClientSession, url: str) -> None:
    async with client.get(url, params={"query": "mutation { set(value: 1) }"}) as answer:
        assert (answer.status, answer.headers["allow"]) == (405, "POST")


async def test_mutation_as_a_stream_of_arrow(client: aiohttp.ClientSession, url: str) -> None:
    """Refused before it is executed: who is told that it failed sends it again."""
    body, accept = {"query": 'mutation { note(text: "arrow") }'}, "application/vnd.apache.arrow.stream"
    NOTES.clear()
    async with client.post(url, json=body, headers={"accept": accept}) as answer:
        assert (answer.status, (await answer.json())["errors"][0]["extensions"]["code"]) == (400, "REQUEST_INVALID")
    assert NOTES == []
    assert (await post(client, url, body))[1] == {"data": {"note": 1}}


@pytest.mark.parametrize(
    "query",
    ["variables={", "query={hello}&variables=[1]", "query=%ff%fe", "&".join(f"a{n}=1" for n in range(50)), "query="],
)
async def test_query_strings(url: str, query: str) -> None:
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(f"GET /graphql?{query} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    assert b" 400 " in head.splitlines()[0]
    assert json.loads(body)["errors"][0]["extensions"]["code"] == "REQUEST_INVALID"


async def test_body_that_stops_in_the_middle(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_reader, "BODY_SECONDS", 0.05)
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(b'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"')
    head, _, body = (await asyncio.wait_for(reader.read(), 10)).partition(b"\r\n\r\n")
    writer.close()
    assert b" 408 " in head.splitlines()[0]
    assert json.loads(body)["errors"][0]["extensions"]["code"] == "REQUEST_INVALID"


@pytest.mark.parametrize("accept", ["text/css", "application/xml;q=1", "application/json;charset=latin1", "text/html"])
async def test_not_acceptable(client: aiohttp.ClientSession, url: str, accept: str) -> None:
    status, answer = await post(client, url, {"query": "{hello}"}, accept=accept)
    assert (status, answer["errors"][0]["extensions"]["code"]) == (406, "REQUEST_INVALID")


async def test_errors_are_200_for_clients_of_plain_json(client: aiohttp.ClientSession, url: str) -> None:
    status, answer = await post(client, url, {"query": "{ absent }"}, accept="application/json")
    assert (status, answer["errors"][0]["extensions"]["code"]) == (200, "GRAPHQL_VALIDATION_FAILED")


@pytest.mark.parametrize("declared", [True, False])
async def test_body_too_large(client: aiohttp.ClientSession, declared: bool) -> None:
    """Refused when the limit is passed, not when the body has ended: it never ends here."""

    async def endless() -> Any:
        while True:
            yield b" " * 1_000
            await asyncio.sleep(0)

    settings = settings_without_stores(limits={"max_body_bytes": 10_000})
    async with serving(settings) as origin:
        data: Any = b" " * 10_001 if declared else endless()
        async with client.post(f"{origin}/graphql", data=data, headers=JSON) as answer:
            body = json.loads(await answer.content.read(10_000))
    assert (answer.status, body["errors"][0]["extensions"]["code"]) == (413, "REQUEST_TOO_LARGE")


async def test_body_as_large_as_allowed(client: aiohttp.ClientSession) -> None:
    body = json.dumps({"query": "{hello}"}).ljust(100).encode()
    async with serving(settings_without_stores(limits={"max_body_bytes": 100})) as origin:
        assert (await post(client, f"{origin}/graphql", body))[0] == 200


async def test_bad_token(client: aiohttp.ClientSession, url: str) -> None:
    async with client.post(url, json={"query": "{hello}"}, headers={"authorization": "Bearer x"}) as answer:
        assert answer.status == 401
        assert answer.headers["www-authenticate"].startswith("Bearer ")
        assert (await answer.json())["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
