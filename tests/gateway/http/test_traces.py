"""What a collector is sent over OTLP/HTTP: spans of operations and of what they did to stores, and no data."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from gateway.app import create_app
from gateway.lifespan import Runtime
from gateway.settings import Settings, Traces
from gateway.traces import Traces as Opened
from tests.gateway.auth.serving import serving as served
from tests.gateway.http.application import Callers, new_context, settings_without_stores
from tests.gateway.http.test_websocket import connected, ready, subscribe, told
from tests.gateway.http.toy import SCHEMA

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Collector(list[Span]):
    """Takes spans as an OpenTelemetry collector does. `authorizations` and `services` (names) are those it was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.authorizations: set[str | None] = set()
        self.services: set[str] = set()

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.authorizations.add(request.headers.get("authorization"))
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.services |= {
                each.value.string_value for each in resource.resource.attributes if each.key == "service.name"
            }
            for scope in resource.scope_spans:
                self.extend(scope.spans)
        return web.Response()

    def one(self, wanted: Callable[[Span], bool]) -> Span:
        (found,) = [span for span in self if wanted(span)]
        return found


def attributes(span: Span) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value") or "") for each in span.attributes}


@asynccontextmanager
async def collecting() -> AsyncIterator[tuple[Collector, str]]:
    collector = Collector()
    application = web.Application()
    application.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        yield collector, f"http://{host}:{port}/v1/traces"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def traced(**changes: Any) -> AsyncIterator[str]:
    """The application with traces. When this ends, the collector has them all."""

    @asynccontextmanager
    async def opened(_: Settings) -> AsyncIterator[Runtime]:
        traces = Opened.open(Traces(**changes), process="axion-gateway")
        try:
            yield Runtime(Callers(None), new_context, {}, {}, traces=traces)
        finally:
            await traces.close()

    async with served(create_app(settings_without_stores(), SCHEMA, opened=opened), lifespan="on") as origin:
        yield f"{origin}/graphql"


async def post(client: aiohttp.ClientSession, url: str, query: str, **headers: str) -> Any:
    async with client.post(url, json={"query": query}, headers=headers) as answer:
        return await answer.json(content_type=None)


async def test_an_operation_and_its_statements(client: aiohttp.ClientSession) -> None:
    async with collecting() as (collector, at):
        async with traced(url=at, headers={"authorization": "Bearer collector"}) as url:
            traceparent = f"00-{TRACE}-{PARENT}-01"
            await post(client, url, "query Mine { storeDown }", traceparent=traceparent, **{"x-request-id": "id-1"})
        assert (collector.authorizations, collector.services) == ({"Bearer collector"}, {"axion-gateway"})
    operation = collector.one(lambda span: span.kind == Span.SPAN_KIND_SERVER)
    statement = collector.one(lambda span: span.kind == Span.SPAN_KIND_CLIENT)
    assert (operation.name, operation.trace_id.hex(), operation.parent_span_id.hex()) == ("query", TRACE, PARENT)
    assert attributes(operation) == {
        "axion.transport": "http",
        "axion.request_id": "id-1",
        "graphql.operation.type": "query",
        "graphql.operation.name": "Mine",
        "error.type": "STORE_UNAVAILABLE",
    }
    assert operation.status.code == 2
    assert (statement.name, statement.parent_span_id) == ("clickhouse", operation.span_id)
    assert attributes(statement) == {
        "axion.store": "clickhouse",
        "axion.rows": 2,
        "axion.statements": 1,
        "axion.bytes": 10,
    }
    assert statement.end_time_unix_nano - statement.start_time_unix_nano == 1_500_000


async def test_no_data_in_spans(client: aiohttp.ClientSession) -> None:
    async with collecting() as (collector, at), traced(url=at) as url:
        await post(client, url, 'query { hello(name: "hunter2") broken }', authorization="Bearer hunter2")
        await post(client, url, "{ hunter2 }")
        await post(client, url, '{ hello(name: "hunter2") ')
    assert len(collector) == 3
    assert not any(b"hunter2" in span.SerializeToString() for span in collector)


async def test_other_transports(client: aiohttp.ClientSession) -> None:
    async with collecting() as (collector, at), traced(url=at) as url:
        async with connected(client, url) as connection:
            await ready(connection)
            await subscribe(connection, "subscription Count { count(to: 2) { count } }")
            assert [(await told(connection))["type"] for _ in range(3)] == ["next", "next", "complete"]
        headers = {"accept": "text/event-stream"}
        async with client.post(url, json={"query": "{ storeDown }"}, headers=headers) as answer:
            await answer.read()
    told_of = {attributes(span)["axion.transport"]: span for span in collector if span.kind == Span.SPAN_KIND_SERVER}
    assert (told_of["websocket"].name, told_of["sse"].name) == ("subscription", "query")
    assert collector.one(lambda span: span.name == "clickhouse").parent_span_id == told_of["sse"].span_id


@pytest.mark.parametrize(
    ("ratio", "traceparent", "spans"),
    [(0.0, None, 0), (0.0, f"00-{TRACE}-{PARENT}-01", 0), (1.0, f"00-{TRACE}-{PARENT}-00", 0), (1.0, "nonsense", 1)],
)
async def test_what_is_sampled(
    client: aiohttp.ClientSession, ratio: float, traceparent: str | None, spans: int
) -> None:
    async with collecting() as (collector, at), traced(url=at, ratio=ratio) as url:
        await post(client, url, "{ hello }", **({"traceparent": traceparent} if traceparent else {}))
    assert len(collector) == spans


async def test_a_collector_that_is_away_harms_nobody(
    client: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    async with traced(url="http://127.0.0.1:1/v1/traces") as url:
        for _ in range(3):
            assert await post(client, url, "{ hello }") == {"data": {"hello": "Hello, world!"}}
    assert any(record.name.startswith("opentelemetry") for record in caplog.records)
