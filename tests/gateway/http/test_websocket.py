"""graphql-transport-ws, by https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from structlog.testing import capture_logs
from yarl import URL

from gateway.http import websocket
from tests.gateway.http.application import Revocable, serving, settings_without_stores
from tests.gateway.http.test_sse import Expiring
from tests.gateway.http.toy import GATES, Gate

Socket = aiohttp.ClientWebSocketResponse
PATIENCE_S = 10
HANDSHAKE = "\r\n".join(
    (
        "GET /graphql HTTP/1.1",
        "Host: localhost",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: bm90aGluZyBpbiBpdCEhIQ==",
        f"Sec-WebSocket-Protocol: {websocket.SUBPROTOCOL}",
        "\r\n",
    )
).encode()


@asynccontextmanager
async def connected(client: aiohttp.ClientSession, url: str, **headers: str) -> AsyncIterator[Socket]:
    async with client.ws_connect(url, protocols=[websocket.SUBPROTOCOL], headers=headers) as socket:
        yield socket


@pytest.fixture
async def socket(client: aiohttp.ClientSession, url: str) -> AsyncIterator[Socket]:
    async with connected(client, url) as connection:
        yield await ready(connection)


async def ready(connection: Socket, **payload: str) -> Socket:
    await connection.send_json({"type": "connection_init", **({"payload": payload} if payload else {})})
    assert await told(connection) == {"type": "connection_ack"}
    return connection


async def told(connection: Socket) -> Any:
    return await connection.receive_json(timeout=PATIENCE_S)


async def closed(connection: Socket) -> tuple[int | None, str | None]:
    message = await connection.receive(timeout=PATIENCE_S)
    assert message.type is aiohttp.WSMsgType.CLOSE, message
    return message.data, message.extra


async def subscribe(connection: Socket, query: str, id_: str = "1", **payload: Any) -> None:
    await connection.send_json({"id": id_, "type": "subscribe", "payload": {"query": query, **payload}})


def gated() -> tuple[str, Gate]:
    name = uuid4().hex
    GATES[name] = Gate()
    return f'subscription {{count(to: 1, gate: "{name}") {{count}}}}', GATES[name]


async def test_subscription(socket: Socket) -> None:
    await subscribe(socket, "subscription {count(to: 2) {count}}")
    assert [await told(socket) for _ in range(3)] == [
        {"id": "1", "type": "next", "payload": {"data": {"count": {"count": 1}}}},
        {"id": "1", "type": "next", "payload": {"data": {"count": {"count": 2}}}},
        {"id": "1", "type": "complete"},
    ]


async def test_query_with_fragment_and_ledger(socket: Socket) -> None:
    await subscribe(socket, "{fragment {name value} storeDown}", extensions={"stores": True})
    payload = (await told(socket))["payload"]
    assert payload["data"]["fragment"] == {"name": "spliced", "value": 12345678901234567890}
    assert payload["errors"][0]["extensions"] == {"code": "STORE_UNAVAILABLE", "store": "clickhouse"}
    assert payload["extensions"]["stores"]["clickhouse"]["statements"] == 1
    assert (await told(socket))["type"] == "complete"


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{absent}"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "{" + "hello " * 2_000 + "}"}, "DOCUMENT_TOO_COMPLEX"),
        ({"query": "query ($n: Int!) {hello}"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query ($n: String!) {hello(name: $n)}"}, "BAD_USER_INPUT"),
        ({"query": "subscription ($n: Int!) {count(to: $n) {count}}"}, "BAD_USER_INPUT"),
        ({}, "REQUEST_INVALID"),
        (None, "REQUEST_INVALID"),
    ],
    ids=lambda value: repr(value)[:50],
)
async def test_bad_operations_end_alone(socket: Socket, payload: Any, code: str) -> None:
    await socket.send_json({"id": "1", "type": "subscribe", "payload": payload})
    answer = await told(socket)
    assert (answer["id"], answer["type"], answer["payload"][0]["extensions"]["code"]) == ("1", "error", code)
    await subscribe(socket, "{hello}", "1")
    assert (await told(socket))["payload"] == {"data": {"hello": "Hello, world!"}}


async def test_source_that_fails(socket: Socket) -> None:
    await subscribe(socket, "subscription {fails(after: 1)}")
    assert (await told(socket))["payload"] == {"data": {"fails": 0}}
    last = await told(socket)
    assert (last["type"], last["payload"][0]["extensions"]["code"]) == ("error", "STORE_UNAVAILABLE")


async def test_operations_share_the_connection(socket: Socket) -> None:
    query, door = gated()
    await subscribe(socket, query, "slow")
    await asyncio.wait_for(door.entered.wait(), PATIENCE_S)
    await subscribe(socket, "{hello}", "quick")
    assert [(await told(socket))["id"] for _ in range(2)] == ["quick", "quick"]
    door.open.set()
    assert (await told(socket))["id"] == "slow"


async def test_complete_cancels(socket: Socket) -> None:
    query, door = gated()
    await subscribe(socket, query)
    await asyncio.wait_for(door.entered.wait(), PATIENCE_S)
    await socket.send_json({"id": "1", "type": "complete"})
    await asyncio.wait_for(door.cancelled.wait(), PATIENCE_S)
    await subscribe(socket, "{hello}")  # nothing of the first comes before this, and its id is free again
    assert (await told(socket))["payload"] == {"data": {"hello": "Hello, world!"}}


async def test_hang_up_cancels(client: aiohttp.ClientSession, url: str) -> None:
    query, door = gated()
    async with connected(client, url) as socket:
        await subscribe(await ready(socket), query)
        await asyncio.wait_for(door.entered.wait(), PATIENCE_S)
    await asyncio.wait_for(door.cancelled.wait(), PATIENCE_S)


async def test_ping(client: aiohttp.ClientSession, url: str) -> None:
    async with connected(client, url) as socket:
        await socket.send_json({"type": "ping", "payload": {"n": 1}})  # before connection_init as well
        assert await told(socket) == {"type": "pong", "payload": {"n": 1}}
        await socket.send_json({"type": "pong"})
        await ready(socket)


async def test_duplicate_id(socket: Socket) -> None:
    query, door = gated()
    await subscribe(socket, query)
    await asyncio.wait_for(door.entered.wait(), PATIENCE_S)
    await subscribe(socket, query)
    assert await closed(socket) == (4409, "Subscriber for 1 already exists")
    await asyncio.wait_for(door.cancelled.wait(), PATIENCE_S)


async def test_duplicate_id_beyond_a_close_frame(socket: Socket) -> None:
    query, door = gated()
    await subscribe(socket, query, "é" * 90)
    await asyncio.wait_for(door.entered.wait(), PATIENCE_S)
    await subscribe(socket, query, "é" * 90)
    code, reason = await closed(socket)
    assert code == 4409
    assert reason is not None
    assert reason.startswith("Subscriber for ééé")


@pytest.mark.parametrize("number", ["18446744073709551616", "-9223372036854775809", "0.12345678901234567", "1E-400"])
async def test_pong_has_the_number_of_its_ping(socket: Socket, number: str) -> None:
    await socket.send_str(f'{{"type":"ping","payload":{{"t":{number}}}}}')
    assert (await socket.receive_str(timeout=PATIENCE_S)) == f'{{"type":"pong","payload":{{"t":{number}}}}}'


async def test_ping_too_deep_to_answer(socket: Socket) -> None:
    await socket.send_str('{"type": "ping", "payload": ' + "[" * 1_000 + "]" * 1_000 + "}")
    assert await closed(socket) == (4400, "Invalid message: nested too deeply")


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (["{"], 4400),
        (["[]"], 4400),
        (['{"type": 1}'], 4400),
        (['{"type": "start"}'], 4401),
        (['{"type": "subscribe", "id": "1", "payload": {"query": "{hello}"}}'], 4401),
        (['{"type": "connection_init", "payload": 1}'], 4400),
        (['{"type": "connection_init"}', '{"type": "connection_init"}'], 4429),
        (['{"type": "connection_init"}', '{"type": "subscribe", "payload": {}}'], 4400),
        (['{"type": "connection_init"}', '{"type": "subscribe", "id": ""}'], 4400),
        (['{"type": "connection_init"}', '{"type": "start"}'], 4400),
        (['{"type": "connection_init", "payload": {"authorization": "Bearer x"}}'], 4403),
        (['{"type": "connection_init", "payload": {"authorization": 1}}'], 4403),
    ],
)
async def test_broken_protocol(client: aiohttp.ClientSession, url: str, messages: list[str], code: int) -> None:
    async with connected(client, url) as socket:
        for message in messages:
            await socket.send_str(message)
        message_ = await socket.receive(timeout=PATIENCE_S)
        while message_.type is aiohttp.WSMsgType.TEXT:
            assert json.loads(message_.data)["type"] == "connection_ack"
            message_ = await socket.receive(timeout=PATIENCE_S)
    assert message_.data == code


async def test_binary_message(client: aiohttp.ClientSession, url: str) -> None:
    async with connected(client, url) as socket:
        await socket.send_bytes(b"{}")
        assert (await closed(socket))[0] == 4400


async def test_message_too_large(client: aiohttp.ClientSession) -> None:
    settings = settings_without_stores(limits={"max_body_bytes": 100})
    async with serving(settings) as origin, connected(client, f"{origin}/graphql") as socket:
        await socket.send_str(json.dumps({"type": "ping", "payload": {"x": "x" * 100}}))
        assert (await closed(socket))[0] == 1009


async def test_nobody_speaks(client: aiohttp.ClientSession, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "INIT_SECONDS", 0.01)
    async with connected(client, url) as socket:
        assert await closed(socket) == (4408, "Connection initialisation timeout")


async def test_broken_before_it_is_initialised(client: aiohttp.ClientSession) -> None:
    """The server ends only when all that it serves has: a socket served for ever would hold it."""
    async with asyncio.timeout(PATIENCE_S), serving() as origin:
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", URL(origin).port)
            writer.write(HANDSHAKE)
            assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
            writer.transport.abort()
        async with client.get(f"{origin}/health/live") as answer:  # by now the server has seen them break
            assert answer.status == 200


async def test_other_subprotocol(client: aiohttp.ClientSession, url: str) -> None:
    async with client.ws_connect(url, protocols=["graphql-ws"]) as socket:
        assert (await closed(socket))[0] == 4406


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1:1", "http://[", "http://[x]"]
)
async def test_foreign_origin(client: aiohttp.ClientSession, url: str, origin: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        async with connected(client, url, origin=origin):
            pass
    assert caught.value.status == 403


async def test_own_and_allowed_origins(client: aiohttp.ClientSession) -> None:
    settings = settings_without_stores(http={"allowed_origins": ("https://app.example",)})
    async with serving(settings) as own:
        for origin in (own, "https://app.example"):
            async with connected(client, f"{own}/graphql", origin=origin) as socket:
                await ready(socket)


async def test_token_that_ends(client: aiohttp.ClientSession) -> None:
    async with serving(callers=Expiring(None)) as origin, connected(client, f"{origin}/graphql") as socket:
        await ready(socket, authorization="Bearer x")
        assert await closed(socket) == (4403, websocket.EXPIRED)


async def test_closed_when_its_caller_is_revoked(client: aiohttp.ClientSession) -> None:
    """While its operation goes on, without another message of the client's."""
    callers, settings = Revocable(), settings_without_stores(http={"renew_seconds": 0.01})
    async with serving(settings, callers=callers) as origin, connected(client, f"{origin}/graphql") as socket:
        await ready(socket, authorization="Bearer x")
        query, door = gated()
        await subscribe(socket, query, "1")
        await asyncio.wait_for(door.entered.wait(), PATIENCE_S)
        callers.revoked = True
        assert (await closed(socket))[0] == 4403
        await asyncio.wait_for(door.cancelled.wait(), PATIENCE_S)


async def test_nothing_is_sent_after_the_close(client: aiohttp.ClientSession) -> None:
    """Each of the operations finds that its caller is refused by now, and one of them closes the connection."""
    callers = Revocable()
    with capture_logs() as logs:
        async with serving(callers=callers) as origin, connected(client, f"{origin}/graphql") as socket:
            await ready(socket, authorization="Bearer x")
            callers.revoked = True
            for id_ in "12345":
                await subscribe(socket, "{hello}", id_)
            assert (await closed(socket))[0] == 4403
    assert [line for line in logs if line["log_level"] == "error"] == []


async def test_many_operations_at_once(socket: Socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "MAX_OPERATIONS", 1)
    query, door = gated()
    await subscribe(socket, query, "1")
    await asyncio.wait_for(door.entered.wait(), PATIENCE_S)
    await subscribe(socket, "{hello}", "2")
    answer = await told(socket)
    assert (answer["id"], answer["type"], answer["payload"][0]["extensions"]["code"]) == (
        "2",
        "error",
        "REQUEST_INVALID",
    )
    door.open.set()


async def test_the_first_of_many_are_served(socket: Socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "MAX_OPERATIONS", 3)
    query, door = gated()
    for id_ in "1234":
        await subscribe(socket, query, id_)
    answer = await told(socket)
    assert (answer["id"], answer["type"]) == ("4", "error")
    door.open.set()
    served = [await told(socket) for _ in range(6)]
    assert sorted(message["id"] for message in served if message["type"] == "complete") == ["1", "2", "3"]


async def test_shutdown_closes(client: aiohttp.ClientSession) -> None:
    query, door = gated()
    async with serving() as origin:
        connection = await client.ws_connect(f"{origin}/graphql", protocols=[websocket.SUBPROTOCOL])
        await subscribe(await ready(connection), query)
        await asyncio.wait_for(door.entered.wait(), PATIENCE_S)
    assert (await closed(connection))[0] == 1012
    assert door.cancelled.is_set()
