"""Requests of one caller beyond the limit: by HTTP, as events and over a socket; other callers are unharmed."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import aiohttp
import pytest

from gateway.auth.errors import TokenRejected
from loaders.ledger import Ledger
from resolvers.subject import Subject
from tests.gateway.http.application import serving, settings_without_stores
from tests.gateway.http.test_websocket import closed, connected, ready, subscribe, told

BURST = 3
HELLO = {"query": "{ hello }"}


class Callers:
    """The token is the user's name."""

    async def subject(self, authorization: str, _: Ledger) -> tuple[Subject, datetime | None]:
        if authorization.startswith("bad"):
            raise TokenRejected("Bad.")
        return Subject(authorization), None


@pytest.fixture
async def limited() -> AsyncIterator[str]:
    """The endpoint where a caller may send one request an hour beyond the burst."""
    settings = settings_without_stores(limits={"requests_per_second": 1 / 3_600, "requests_burst": BURST})
    async with serving(settings, callers=Callers()) as origin:
        yield f"{origin}/graphql"


async def post(client: aiohttp.ClientSession, url: str, body: Any = HELLO, **headers: str) -> tuple[int, Any]:
    async with client.post(url, json=body, headers=headers) as answer:
        assert (answer.status == 429) == ("retry-after" in answer.headers)
        return answer.status, await answer.json(content_type=None)


async def test_who_sends_too_many_waits(client: aiohttp.ClientSession, limited: str) -> None:
    for headers in ({}, {"authorization": "one"}, {"authorization": "two"}):
        for _ in range(BURST):
            assert await post(client, limited, **headers) == (200, {"data": {"hello": "Hello, world!"}})
        status, answer = await post(client, limited, **headers)
        (error,) = answer["errors"]
        assert (status, error["extensions"]["code"]) == (429, "RATE_LIMITED")
        assert 3_590 < error["extensions"]["retryAfter"] <= 3_600
        assert "data" not in answer


async def test_whatever_is_sent_counts(client: aiohttp.ClientSession, limited: str) -> None:
    for body in ({}, {"query": "{"}, {"query": "{ absent }"}):
        status, _ = await post(client, limited, body)
        assert status in (200, 400)
    assert (await post(client, limited))[0] == 429
    async with client.get(limited, params=HELLO, headers={"accept": "text/event-stream"}) as answer:
        assert answer.status == 429


async def test_operations_of_a_socket_count(client: aiohttp.ClientSession, limited: str) -> None:
    async with connected(client, limited, authorization="one") as connection:
        await ready(connection)
        for number in range(BURST - 1):
            await subscribe(connection, "{ hello }", id_=str(number))
            assert [(await told(connection))["type"] for _ in range(2)] == ["next", "complete"]
        await subscribe(connection, "{ hello }", id_="more")
        refused = await told(connection)
        assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "RATE_LIMITED")
    assert (await post(client, limited, authorization="one"))[0] == 429
    async with connected(client, limited, authorization="one") as connection:
        await connection.send_json({"type": "connection_init"})
        assert (await closed(connection))[0] == 1013
    assert (await post(client, limited, authorization="two"))[0] == 200


async def test_refused_credentials_count(client: aiohttp.ClientSession, limited: str) -> None:
    """Of their address: who guesses is not judged any more, by whatever transport; who sends none is served."""
    for number in range(BURST):
        assert (await post(client, limited, authorization=f"bad {number}"))[0] == 401
    assert (await post(client, limited, authorization="bad again"))[0] == 429
    async with connected(client, limited, authorization="bad") as connection:
        await connection.send_json({"type": "connection_init"})
        assert (await closed(connection))[0] == 1013
    tiles = limited.replace("/graphql", "/tiles/a/b/c.pmtiles")
    async with client.get(tiles, headers={"authorization": "bad"}) as answer:
        assert answer.status == 429


async def test_who_was_good_is_not_locked_out(client: aiohttp.ClientSession, limited: str) -> None:
    """By others of the address, a proxy's or a NAT's; who was not seen there yet waits."""
    assert (await post(client, limited, authorization="one"))[0] == 200
    for number in range(BURST):
        assert (await post(client, limited, authorization=f"bad {number}"))[0] == 401
    assert (await post(client, limited, authorization="two"))[0] == 429
    assert (await post(client, limited, authorization="one"))[0] == 200
    assert (await post(client, limited))[0] == 200


async def test_tiles_count(client: aiohttp.ClientSession, limited: str) -> None:
    for _ in range(BURST):
        assert (await post(client, limited, authorization="one"))[0] == 200
    async with client.get(
        limited.replace("/graphql", "/tiles/a/b/c.pmtiles"), headers={"authorization": "one"}
    ) as answer:
        assert (answer.status, "retry-after" in answer.headers) == (429, True)
