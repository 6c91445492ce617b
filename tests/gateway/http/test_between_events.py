"""A subscription that waits for its next event holds nothing of the last one: thousands of them wait for minutes."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from gateway.http.execution import Event
from gateway.http.operations import Streamed
from tests.gateway.http.test_sse import EVENTS, following
from tests.gateway.http.test_websocket import connected, ready, subscribe, told
from tests.gateway.http.toy import GATES, Gate
from tests.waiting import until


@asynccontextmanager
async def _over_events(client: aiohttp.ClientSession, url: str, query: str) -> AsyncIterator[None]:
    async with client.post(url, json={"query": query}, headers=EVENTS) as answer:
        while await answer.content.readuntil(b"\n\n") != f"{following(1)}\n\n".encode():
            pass
        yield


@asynccontextmanager
async def _over_websocket(client: aiohttp.ClientSession, url: str, query: str) -> AsyncIterator[None]:
    async with connected(client, url) as socket:
        await subscribe(await ready(socket), query)
        assert (await told(socket))["payload"] == {"data": {"count": {"count": 1}}}
        yield


@pytest.mark.parametrize("asked", [_over_events, _over_websocket], ids=["events", "websocket"])
async def test_nothing_of_an_event_is_held(client: aiohttp.ClientSession, url: str, asked: Any) -> None:
    name = uuid4().hex
    door = GATES[name] = Gate()
    async with asked(client, url, f'subscription {{count(to: 2, gate: "{name}") {{count}}}}'):
        await until(door.entered.is_set)
        assert [each for each in gc.get_objects() if isinstance(each, Event | Streamed)] == []
        door.open.set()
