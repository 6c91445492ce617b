"""An operation runs no longer than somebody waits for it."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from uuid import uuid4

import aiohttp
import pytest

from gateway.metrics import REGISTRY
from tests.gateway.http.application import serving, settings_without_stores
from tests.gateway.http.toy import GATES, Gate
from tests.waiting import until

PATIENCE_S = 60


@pytest.fixture
def gate() -> Iterator[tuple[str, Gate]]:
    name = uuid4().hex
    GATES[name] = Gate()
    yield name, GATES[name]
    del GATES[name]


def slow(name: str) -> dict[str, str]:
    return {"query": f'{{slowHello(gate: "{name}")}}'}


def cancelled() -> float:
    return REGISTRY.get_sample_value("axion_operations_total", {"transport": "http", "code": "CANCELLED"}) or 0.0


async def test_slow_operation_is_waited_for(client: aiohttp.ClientSession, url: str, gate: tuple[str, Gate]) -> None:
    name, door = gate
    asking = asyncio.create_task(client.post(url, json=slow(name)))
    await asyncio.wait_for(door.entered.wait(), PATIENCE_S)
    door.open.set()
    assert await (await asking).json() == {"data": {"slowHello": "Hello at last"}}


async def test_hang_up_cancels(client: aiohttp.ClientSession, url: str, gate: tuple[str, Gate]) -> None:
    name, door = gate
    before = cancelled()
    asking = asyncio.create_task(client.post(url, json=slow(name)))
    await asyncio.wait_for(door.entered.wait(), PATIENCE_S)
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    await asyncio.wait_for(door.cancelled.wait(), PATIENCE_S)
    await until(lambda: cancelled() == before + 1)


async def test_time_out_cancels(client: aiohttp.ClientSession, gate: tuple[str, Gate]) -> None:
    name, door = gate
    settings = settings_without_stores(limits={"request_timeout_ms": 50})
    async with serving(settings) as origin, client.post(f"{origin}/graphql", json=slow(name)) as answer:
        assert answer.status == 504
        (error,) = (await answer.json())["errors"]
    assert error["extensions"]["code"] == "STORE_TIMEOUT"
    assert "50 ms" in error["message"]
    assert door.cancelled.is_set()
