"""The client on a real HTTP server that implements the protocol correctly or incorrectly."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from loaders.errors import StoreCredentialsRejected, StoreError, StoreQueryFailed, StoreTimeout, StoreUnavailable
from loaders.vectors.openai import OpenAiCompatible
from tests.waiting import until

KEY = "sk-3c1d"


class Server:
    """Answers `[len(text), 1, 0]` for each text, in reverse order; `misbehave` replaces the answer."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.at_once = 0
        self.most_at_once = 0
        self.misbehave: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None
        self.url = ""

    async def embeddings(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return web.json_response({"error": {"message": f"bad key {KEY}"}}, status=401)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            body = await request.json()
            self.requests.append(body)
            if self.misbehave is not None:
                return await self.misbehave(request)
            data = [{"index": i, "embedding": [len(text), 1.0, 0]} for i, text in enumerate(body["input"])]
            return web.json_response({"object": "list", "data": data[::-1], "model": body["model"]})
        finally:
            self.at_once -= 1


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_post("/v1/embeddings", server.embeddings)
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield server
    await runner.cleanup()


def client(server: Server, *, key: str | None = KEY, dimensions: int = 3, timeout_ms: int = 5_000) -> OpenAiCompatible:
    url, model = server.url, "some-model"
    return OpenAiCompatible(url=url, api_key=key, model=model, dimensions=dimensions, timeout_ms=timeout_ms, batch=10)


@pytest.fixture
async def embeddings(server: Server) -> AsyncIterator[OpenAiCompatible]:
    embeddings = client(server)
    yield embeddings
    await embeddings.close()


async def test_vectors_come_in_the_order_of_the_texts_and_of_length_1(
    server: Server, embeddings: OpenAiCompatible
) -> None:
    vectors = await embeddings.embed(["", "x" * 3])
    assert vectors == [[0.0, 1.0, 0.0], pytest.approx([3 / 10**0.5, 1 / 10**0.5, 0.0])]
    (request,) = server.requests
    assert request == {"model": "some-model", "input": ["", "xxx"], "dimensions": 3, "encoding_format": "float"}


async def test_texts_go_in_batches_a_few_at_once(server: Server, embeddings: OpenAiCompatible) -> None:
    vectors = await embeddings.embed(["x" * number for number in range(95)])
    assert [round(vector[0] / vector[1]) for vector in vectors] == list(range(95))
    assert sorted(len(request["input"]) for request in server.requests) == [5] + [10] * 9
    assert server.most_at_once <= 4
    assert await embeddings.embed([]) == []


async def test_long_texts_are_not_sent_together(server: Server, embeddings: OpenAiCompatible) -> None:
    await embeddings.embed(["x" * 150_000] * 3)
    assert [len(request["input"]) for request in server.requests] == [1, 1, 1]


def answering(status: int, body: Any = None) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    return answer


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, StoreQueryFailed),
        (403, StoreCredentialsRejected),
        (404, StoreQueryFailed),
        (429, StoreUnavailable),
        (500, StoreUnavailable),
        (503, StoreUnavailable),
        (302, StoreQueryFailed),
    ],
)
async def test_refusals_are_store_errors(
    server: Server, embeddings: OpenAiCompatible, status: int, error: type[StoreError]
) -> None:
    server.misbehave = answering(status, {"error": KEY})
    with pytest.raises(error) as raised:
        await embeddings.embed(["text"])
    assert raised.value.extensions["store"] == "embeddings"
    assert KEY not in str(raised.value)


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"data": []},
        {"data": [{"index": 0}]},
        {"data": [{"index": 1, "embedding": [1, 0, 0]}]},
        {"data": [{"index": 0, "embedding": [1, 0]}]},
        {"data": [{"index": 0, "embedding": ["x", 0, 0]}]},
        {"data": [{"index": 0, "embedding": [0, 0, 0]}]},
        {"data": None},
    ],
)
async def test_nonsense_is_a_failed_query(server: Server, embeddings: OpenAiCompatible, body: Any) -> None:
    server.misbehave = answering(200, body)
    with pytest.raises(StoreQueryFailed):
        await embeddings.embed(["text"])


async def test_a_wrong_or_missing_key_is_rejected(server: Server) -> None:
    for key in ("sk-wrong", None):
        embeddings = client(server, key=key)
        with pytest.raises(StoreCredentialsRejected) as raised:
            await embeddings.embed(["text"])
        assert KEY not in str(raised.value)
        await embeddings.close()


async def test_a_server_that_hangs_is_a_timeout(server: Server) -> None:
    released = asyncio.Event()

    async def hang(_: web.Request) -> web.StreamResponse:
        await released.wait()
        return web.Response()

    server.misbehave = hang
    embeddings = client(server, timeout_ms=100)
    with pytest.raises(StoreTimeout):
        await embeddings.embed(["text"])
    released.set()
    await embeddings.close()


async def test_a_server_that_hangs_up_or_is_not_there_is_unavailable(server: Server) -> None:
    async def hang_up(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    server.misbehave = hang_up
    embeddings = client(server)
    with pytest.raises(StoreUnavailable):
        await embeddings.embed(["text"])
    await embeddings.close()
    server.url = "http://127.0.0.1:1/v1"
    nobody = client(server)
    with pytest.raises(StoreUnavailable) as raised:
        await nobody.embed(["text"])
    assert "127.0.0.1" not in str(raised.value)
    await nobody.close()


async def test_a_failed_batch_cancels_the_others(server: Server, embeddings: OpenAiCompatible) -> None:
    async def refuse_the_first(request: web.Request) -> web.StreamResponse:
        if len(server.requests) == 1:
            return web.json_response({}, status=400)
        await asyncio.Event().wait()
        return web.Response()

    server.misbehave = refuse_the_first
    async with asyncio.timeout(20):
        with pytest.raises(StoreQueryFailed):
            await embeddings.embed(["text"] * 100)
        await embeddings.close()
        await until(lambda: server.at_once == 0)
