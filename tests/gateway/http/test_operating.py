"""What operators see: probes, metrics, logs."""

import asyncio
import json
import subprocess
import sys
from typing import Any

import aiohttp
import pytest
from graphql import get_introspection_query

from gateway.http import health
from gateway.lifespan import Ping
from gateway.metrics import REGISTRY
from loaders.errors import StoreUnavailable
from tests.gateway.http.application import serving
from tests.waiting import until

SECRETS = ("hunter2", "tokentoken", "variablevalue")


async def up() -> None:
    pass


async def down() -> None:
    raise StoreUnavailable("clickhouse", "ClickHouse cannot be reached.")


async def stuck() -> None:
    await asyncio.Event().wait()


async def test_live(client: aiohttp.ClientSession) -> None:
    async with serving(required={"axion_sense": down}) as origin, client.get(f"{origin}/health/live") as answer:
        assert (answer.status, await answer.json()) == (200, {"status": "live"})


@pytest.mark.parametrize(
    ("required", "optional", "expected"),
    [
        (up, up, (200, "ready", "up", "up")),
        (up, down, (200, "degraded", "up", "down")),
        (down, up, (503, "unavailable", "down", "up")),
        (down, down, (503, "unavailable", "down", "down")),
        (stuck, stuck, (503, "unavailable", "down", "down")),
    ],
)
async def test_ready(
    client: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    required: Ping,
    optional: Ping,
    expected: tuple[int, str, str, str],
) -> None:
    monkeypatch.setattr(health, "_TIMEOUT_SECONDS", 0.05)
    async with (
        serving(required={"axion_sense": required}, optional={"clickhouse": optional}) as origin,
        client.get(f"{origin}/health/ready") as answer,
    ):
        body: Any = await answer.json()
    stores = body["stores"]
    states = (stores["axion_sense"]["state"], stores["clickhouse"]["state"])
    assert (answer.status, body["status"], *states) == expected
    assert (stores["axion_sense"]["required"], stores["clickhouse"]["required"]) == (True, False)
    assert all(store["ms"] >= 0 for store in stores.values())
    if optional is down:
        assert stores["clickhouse"]["code"] == "STORE_UNAVAILABLE"
    if required is stuck:
        assert stores["axion_sense"]["code"] == "STORE_TIMEOUT"


async def test_many_probes_ask_the_stores_once(client: aiohttp.ClientSession) -> None:
    asked, answering = 0, asyncio.Event()

    async def slow() -> None:
        nonlocal asked
        asked += 1
        await answering.wait()

    async with serving(required={"axion_sense": slow}) as origin:

        async def probed() -> int:
            async with client.get(f"{origin}/health/ready") as answer:
                return answer.status

        first = asyncio.create_task(probed())
        await until(lambda: asked > 0)
        others = [asyncio.create_task(probed()) for _ in range(20)]
        async with client.get(f"{origin}/health/live"):
            answering.set()
        assert {await probe for probe in (first, *others)} == {200}
        assert asked <= 2  # one that came after the answer asks anew
        before = asked
        assert await probed() == 200
        assert asked == before + 1


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_metrics(client: aiohttp.ClientSession, url: str) -> None:
    before = counted("axion_operations_total", transport="http", code="STORE_UNAVAILABLE")
    statements = counted("axion_store_statements_total", store="clickhouse")
    async with client.post(url, json={"query": "{storeDown}"}) as answer:
        await answer.read()
    async with client.get(url.replace("/graphql", "/metrics")) as answer:
        text = await answer.text()
    assert f'axion_operations_total{{code="STORE_UNAVAILABLE",transport="http"}} {before + 1}' in text
    assert f'axion_store_statements_total{{store="clickhouse"}} {statements + 1}' in text
    assert "axion_websockets 0.0" in text


async def test_introspection_is_answered_once(client: aiohttp.ClientSession, url: str) -> None:
    """The second answer is the first one's bytes, also under another subject's request id and as another media type."""
    answers = []
    for accept in ("application/json", "application/graphql-response+json"):
        async with client.post(url, json={"query": get_introspection_query()}, headers={"accept": accept}) as answer:
            assert answer.content_type == accept
            answers.append(await answer.read())
    assert answers[0] == answers[1]
    assert b'"name":"Query"' in answers[0]


@pytest.mark.parametrize("query", ["{__typename}", "query($a: Boolean = true) {__typename @skip(if: $a)}"])
async def test_constant_answers_follow_variables(client: aiohttp.ClientSession, url: str, query: str) -> None:
    for given in (True, False):
        async with client.post(url, json={"query": query, "variables": {"a": given}}) as answer:
            expected = {} if given and "$a" in query else {"__typename": "Query"}
            assert await answer.json() == {"data": expected}


LOGGING = """
import asyncio
import warnings
import aiohttp
from gateway.logs import configure_logs
from tests.gateway.http.application import serving

async def main():
    async with serving() as origin, aiohttp.ClientSession() as client:
        body = {"query": "query Named($n: String!) {hello(name: $n) broken}", "variables": {"n": "variablevalue"}}
        headers = {"x-request-id": "the-id", "authorization": "Bearer tokentoken"}
        await client.post(f"{origin}/graphql", json=body, headers=headers)
        del headers["authorization"]
        await client.post(f"{origin}/graphql?secret=variablevalue", json=body, headers=headers)
        await client.get(f"{origin}/health/live")
        async with client.ws_connect(f"{origin}/graphql?secret=variablevalue", protocols=["graphql-transport-ws"]):
            pass

configure_logs()
warnings.warn("an odd thing")
asyncio.run(main())
"""


def test_logs() -> None:
    """One JSON object a line; each request has its line; nothing secret is in any."""
    done = subprocess.run([sys.executable, "-c", LOGGING], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    (warning,) = [line for line in lines if line.get("logger") == "py.warnings"]
    assert (warning["level"], "an odd thing" in warning["event"]) == ("warning", True)
    requests = [line for line in lines if line["event"] == "request"]
    assert [(line["status"], line.get("code"), line.get("operation")) for line in requests] == [
        (401, "UNAUTHENTICATED", None),
        (200, "INTERNAL_ERROR", "Named"),
        (101, None, None),
    ]
    assert [line["request_id"] for line in requests[:2]] == ["the-id", "the-id"]
    assert all(line["ms"] > 0 and line["level"] == "info" and line["timestamp"] for line in requests)
    (failure,) = [line for line in lines if line["event"] == "resolver_failed"]
    assert (failure["request_id"], failure["path"]) == ("the-id", ["broken"])
    assert "RuntimeError" in failure["exception"]
    shown = "".join(line for line in done.stdout.splitlines(keepends=True) if "resolver_failed" not in line)
    assert [secret for secret in SECRETS if secret in shown] == []
    assert "variablevalue" not in done.stdout


BROKEN_STORE = """
import asyncio
from gateway.logs import configure_logs
from loaders.clickhouse.client import ClickHouse
from loaders.errors import StoreUnavailable
from loaders.ledger import Ledger

async def refuse(reader, writer):
    await reader.readline()
    writer.close()

async def main():
    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    store = ClickHouse.open(f"http://127.0.0.1:{port}", "user", "passwordvalue", None)
    try:
        await store.query("SELECT {a:String}", {"a": "variablevalue"}, ledger=Ledger())
    except StoreUnavailable as error:
        print(error)
    await store.close()
    server.close()

configure_logs()
asyncio.run(main())
"""


def test_a_driver_tells_no_values_of_a_query_it_could_not_send() -> None:
    done = subprocess.run([sys.executable, "-c", BROKEN_STORE], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["clickhouse cannot be reached or dropped the connection; check that it runs"], (
        done.stderr
    )
    assert "value" not in done.stderr


async def test_gateway_that_breaks(client: aiohttp.ClientSession) -> None:
    """What nobody foresaw, outside any field, is masked as well."""

    def contexts(*_: Any) -> Any:
        raise RuntimeError("password=hunter2")

    query = {"query": "{hello}"}
    async with serving(contexts=contexts) as origin, client.post(f"{origin}/graphql", json=query) as answer:
        assert answer.status == 500
        text = await answer.text()
    assert json.loads(text)["errors"][0]["extensions"]["code"] == "INTERNAL_ERROR"
    assert "hunter2" not in text
