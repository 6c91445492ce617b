"""A gateway that is told to end cancels what still runs when it has waited: one line of the log each, no traceback."""

import asyncio
import logging
from collections.abc import Iterator
from uuid import uuid4

import aiohttp
import pytest
from structlog.testing import capture_logs

from gateway.metrics import REGISTRY
from tests.gateway.http.application import serving
from tests.gateway.http.toy import GATES, Gate
from tests.waiting import until

PATIENCE_S = 60


@pytest.fixture
def gate() -> Iterator[tuple[str, Gate]]:
    name = uuid4().hex
    GATES[name] = Gate()
    yield name, GATES[name]
    del GATES[name]


def cancelled(transport: str) -> float:
    return REGISTRY.get_sample_value("axion_operations_total", {"transport": transport, "code": "CANCELLED"}) or 0.0


def tracebacks(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.exc_info]


async def test_a_stream_is_one_line(
    client: aiohttp.ClientSession, gate: tuple[str, Gate], caplog: pytest.LogCaptureFixture
) -> None:
    name, door = gate
    before = cancelled("sse")
    asked = {"query": f'subscription {{count(to: 2, gate: "{name}") {{count}}}}'}
    headers = {"accept": "text/event-stream", "x-request-id": name}
    with capture_logs() as lines:
        async with serving(patience_s=0) as origin:
            answer = await client.post(f"{origin}/graphql", json=asked, headers=headers)
            await asyncio.wait_for(door.entered.wait(), PATIENCE_S)
        await until(lambda: cancelled("sse") == before + 1)
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()
    told = {"event": "stream_broken", "log_level": "warning", "code": "CANCELLED", "request_id": name}
    assert lines == [{**told, "reason": "The gateway was told to end."}]
    assert door.cancelled.is_set()
    assert tracebacks(caplog) == []


async def test_what_was_not_answered_yet_is_sent_elsewhere(
    client: aiohttp.ClientSession, gate: tuple[str, Gate], caplog: pytest.LogCaptureFixture
) -> None:
    name, door = gate
    async with serving(patience_s=0) as origin:
        asking = asyncio.create_task(client.post(f"{origin}/graphql", json={"query": f'{{slowHello(gate: "{name}")}}'}))
        await asyncio.wait_for(door.entered.wait(), PATIENCE_S)
    answer = await asking
    (error,) = (await answer.json())["errors"]
    assert (answer.status, error["extensions"]) == (503, {"code": "CANCELLED"})
    assert "Send it again" in error["message"]
    assert door.cancelled.is_set()
    assert tracebacks(caplog) == []
