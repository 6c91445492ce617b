"""Pages of other sites: those of the settings' origins may use the whole API, and read what its answers say."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from pydantic import ValidationError

from gateway.settings import Http
from tests.gateway.http.application import serving, settings_without_stores
from tests.gateway.http.test_websocket import connected, ready

ORIGIN = "https://app.example"
ASKED = "authorization,content-type,apollographql-client-name,traceparent,x-axion-stores"
BODY = {"query": "{ hello }"}


@pytest.fixture(scope="module")
async def allowing() -> AsyncIterator[str]:
    """The endpoint with one origin, and a rate that one request uses up."""
    limits = {"requests_per_second": 0.01, "requests_burst": 1}
    async with serving(settings_without_stores(http={"allowed_origins": [ORIGIN]}, limits=limits)) as origin:
        yield f"{origin}/graphql"


def preflight(origin: str) -> dict[str, str]:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": ASKED}
    return {"origin": origin, **asked}


async def test_a_preflight(client: aiohttp.ClientSession, allowing: str) -> None:
    """Of a client with headers of its own, and of a tracer's."""
    async with client.options(allowing, headers=preflight(ORIGIN)) as answer:
        assert answer.status == 200
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert answer.headers["access-control-allow-headers"] == ASKED
        assert "POST" in answer.headers["access-control-allow-methods"]


async def test_a_page_reads_when_to_try_again(client: aiohttp.ClientSession, allowing: str) -> None:
    statuses = []
    for _ in range(2):
        async with client.post(allowing, json=BODY, headers={"origin": ORIGIN}) as answer:
            statuses.append(answer.status)
            assert answer.headers["access-control-allow-origin"] == ORIGIN
            exposed = answer.headers["access-control-expose-headers"].split(", ")
    assert statuses == [200, 429]
    assert {"retry-after", "x-request-id"} <= set(exposed)
    assert int(answer.headers["retry-after"]) > 0


async def test_another_page(client: aiohttp.ClientSession, allowing: str, url: str) -> None:
    for endpoint, status in ((allowing, 400), (url, 405)):
        async with client.options(endpoint, headers=preflight("https://evil.example")) as answer:
            assert answer.status == status
            assert "access-control-allow-origin" not in answer.headers


async def test_every_page(client: aiohttp.ClientSession) -> None:
    settings = settings_without_stores(http={"allowed_origins": ["*"]})
    async with serving(settings) as own:
        async with client.post(f"{own}/graphql", json=BODY, headers={"origin": ORIGIN}) as answer:
            assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "*")
        async with connected(client, f"{own}/graphql", origin=ORIGIN) as socket:
            await ready(socket)


def test_origins_are_written_as_browsers_send_them() -> None:
    given = (
        "https://App.Example",
        "http://localhost:3000",
        "https://app.example:80",
        "capacitor://localhost",
        "http://[::1]:8080",
    )
    assert Http(allowed_origins=given).allowed_origins == tuple(each.lower() for each in given)


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example/",
        "https://app.example/page",
        "app.example",
        "https://*.example",
        "https://app.example:443",
        "http://[::1]:80",
        "null",
        "",
    ],
)
def test_what_is_no_origin(origin: str) -> None:
    with pytest.raises(ValidationError, match="without a path"):
        Http(allowed_origins=(origin,))
