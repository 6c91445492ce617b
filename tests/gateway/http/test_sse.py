"""graphql-sse's distinct connections."""

import asyncio
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from gateway.http import sse
from tests.gateway.http.application import Callers, Revocable, serving, settings_without_stores
from tests.gateway.http.toy import GATES, Gate

EVENTS = {"accept": "text/event-stream"}
COMPLETE = "event: complete\ndata: "


async def events(client: aiohttp.ClientSession, url: str, query: str, **headers: str) -> list[str]:
    async with client.post(url, json={"query": query}, headers={**EVENTS, **headers}) as answer:
        assert answer.content_type == "text/event-stream"
        text = await answer.text()
    return [event for event in text.removesuffix("\n\n").split("\n\n") if event != ":"]


def following(number: int) -> str:
    return f'event: next\nid: {number}\ndata: {{"data":{{"count":{{"count":{number}}}}}}}'


async def test_subscription(client: aiohttp.ClientSession, url: str) -> None:
    got = await events(client, url, "subscription {count(to: 2) {count}}")
    assert got == [following(1), following(2), COMPLETE]


async def test_resumed(client: aiohttp.ClientSession, url: str) -> None:
    got = await events(client, url, "subscription {count(to: 3) {count}}", **{"last-event-id": "2"})
    assert got == [following(3), COMPLETE]


async def test_query_is_one_event(client: aiohttp.ClientSession, url: str) -> None:
    assert await events(client, url, "{hello}") == ['event: next\ndata: {"data":{"hello":"Hello, world!"}}', COMPLETE]


async def test_by_get(client: aiohttp.ClientSession, url: str) -> None:
    parameters = {"query": "subscription {count(to: 1) {count}}"}
    async with client.get(url, params=parameters, headers=EVENTS) as answer:
        assert following(1) in await answer.text()


async def test_source_that_fails(client: aiohttp.ClientSession, url: str) -> None:
    first, last, complete = await events(client, url, "subscription {fails(after: 1)}")
    assert first == 'event: next\ndata: {"data":{"fails":0}}'
    assert '"code":"STORE_UNAVAILABLE","store":"axion_sense_tasks"' in last
    assert complete == COMPLETE


@pytest.mark.parametrize(
    ("query", "code"),
    [("{", "GRAPHQL_PARSE_FAILED"), ("subscription {absent}", "GRAPHQL_VALIDATION_FAILED")],
)
async def test_refused_before_the_stream(client: aiohttp.ClientSession, url: str, query: str, code: str) -> None:
    async with client.post(url, json={"query": query}, headers=EVENTS) as answer:
        assert answer.status == 400
        assert (await answer.json())["errors"][0]["extensions"]["code"] == code


async def test_hang_up_ends_the_source(client: aiohttp.ClientSession, url: str) -> None:
    name = uuid4().hex
    door = GATES[name] = Gate()
    query = f'subscription {{count(to: 2, gate: "{name}") {{count}}}}'
    async with client.post(url, json={"query": query}, headers=EVENTS) as answer:
        await asyncio.wait_for(door.entered.wait(), 10)
        answer.close()
    await asyncio.wait_for(door.cancelled.wait(), 10)


async def test_silence_is_broken_by_comments(
    client: aiohttp.ClientSession, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "KEEP_ALIVE_SECONDS", 0.01)
    name = uuid4().hex
    door = GATES[name] = Gate()
    query = f'subscription {{count(to: 1, gate: "{name}") {{count}}}}'
    async with client.post(url, json={"query": query}, headers=EVENTS) as answer:
        for _ in range(3):
            assert await answer.content.readuntil(b"\n\n") == b":\n\n"
        door.open.set()
        assert following(1) in await answer.text()


class Expiring(Callers):
    """Whose token ends as soon as it was believed."""

    async def subject(self, authorization: str, ledger: Any) -> Any:
        from datetime import UTC, datetime

        from resolvers.subject import Subject

        return Subject("auth0|1"), datetime.now(UTC)


async def test_ends_with_its_token(client: aiohttp.ClientSession) -> None:
    name = uuid4().hex
    door = GATES[name] = Gate()
    async with serving(callers=Expiring(None)) as origin:
        query = f'subscription {{count(to: 1, gate: "{name}") {{count}}}}'
        error, complete = await events(client, f"{origin}/graphql", query, authorization="Bearer x")
    assert '"code":"UNAUTHENTICATED"' in error
    assert complete == COMPLETE
    assert door.cancelled.is_set()


async def test_ends_when_its_caller_is_revoked(client: aiohttp.ClientSession) -> None:
    name, callers = uuid4().hex, Revocable()
    door = GATES[name] = Gate()
    settings, signed_in = settings_without_stores(http={"renew_seconds": 0.01}), {"authorization": "Bearer x"}
    query = f'subscription {{count(to: 1, gate: "{name}") {{count}}}}'
    async with (
        serving(settings, callers=callers) as origin,
        client.post(f"{origin}/graphql", json={"query": query}, headers={**EVENTS, **signed_in}) as answer,
    ):
        await asyncio.wait_for(door.entered.wait(), 10)
        callers.revoked = True
        text = await asyncio.wait_for(answer.text(), 10)
    assert '"code":"UNAUTHENTICATED"' in text
    assert "count" not in text
    assert door.cancelled.is_set()
