"""Answers in parts of the application over the toy schema: time-outs, errors that take a fragment along, hang-ups."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from aiohttp.multipart import MultipartResponseWrapper

from gateway.metrics import REGISTRY
from tests.gateway.http.application import serving, settings_without_stores
from tests.gateway.http.toy import GATES, Gate
from tests.waiting import until

Reader = MultipartResponseWrapper
PATIENCE_S = 60
BY_PATH = "multipart/mixed;deferSpec=20220824, application/json"


@pytest.fixture
def gate() -> Iterator[tuple[str, Gate]]:
    name = uuid4().hex
    GATES[name] = Gate()
    yield name, GATES[name]
    del GATES[name]


def counted(code: str) -> float:
    return REGISTRY.get_sample_value("axion_operations_total", {"transport": "http", "code": code}) or 0.0


def flying() -> float | None:
    return REGISTRY.get_sample_value("axion_operations_in_flight", {"transport": "http"})


@asynccontextmanager
async def asked(
    client: aiohttp.ClientSession, url: str, query: str, accept: str = "multipart/mixed"
) -> AsyncIterator[tuple[aiohttp.ClientResponse, Reader]]:
    async with client.post(url, json={"query": query}, headers={"accept": accept}) as response:
        assert response.status == 200
        yield response, aiohttp.MultipartReader.from_response(response)


async def following(reader: Reader) -> Any:
    part = await reader.next()
    assert isinstance(part, aiohttp.BodyPartReader)
    return await part.json()


def deferred(fragment: str) -> str:
    return f"{{ hello ... @defer {{ {fragment} }} }}"


async def test_one_operation_is_counted(client: aiohttp.ClientSession, url: str, gate: tuple[str, Gate]) -> None:
    name, door = gate
    before = counted("OK")
    async with asked(client, url, deferred(f'slowHello(gate: "{name}")')) as (_, reader):
        first = await asyncio.wait_for(following(reader), PATIENCE_S)
        assert first == {"data": {"hello": "Hello, world!"}, "pending": [{"id": "0", "path": []}], "hasNext": True}
        await asyncio.wait_for(door.entered.wait(), PATIENCE_S)
        assert (flying(), counted("OK")) == (1, before)
        door.open.set()
        assert (await following(reader))["incremental"] == [{"id": "0", "data": {"slowHello": "Hello at last"}}]
    await until(lambda: (flying(), counted("OK")) == (0, before + 1))


@pytest.mark.parametrize("fragment", ["broken", "storeDown", "forbidden"])
async def test_errors_have_our_codes(client: aiohttp.ClientSession, url: str, fragment: str) -> None:
    code = {"broken": "INTERNAL_ERROR", "storeDown": "STORE_UNAVAILABLE", "forbidden": "FORBIDDEN"}[fragment]
    before = counted(code)
    async with asked(client, url, deferred(fragment)) as (_, reader):
        await following(reader)
        last = await following(reader)
    (arrived,) = last["incremental"]
    assert arrived["data"] == {fragment: None}
    assert [(error["path"], error["extensions"]["code"]) for error in arrived["errors"]] == [([fragment], code)]
    assert "hunter2" not in str(last)
    await until(lambda: counted(code) == before + 1)


async def test_a_null_that_takes_the_fragment_along(client: aiohttp.ClientSession, url: str) -> None:
    async with asked(client, url, deferred("brokenNonNull")) as (_, reader):
        await following(reader)
        last = await following(reader)
    (ended,) = last["completed"]
    assert (ended["id"], ended["errors"][0]["path"]) == ("0", ["brokenNonNull"])
    assert "incremental" not in last
    async with asked(client, url, deferred("brokenNonNull"), BY_PATH) as (_, reader):
        await following(reader)
        (lost,) = (await following(reader))["incremental"]
    assert (lost["path"], lost["data"], lost["errors"][0]["path"]) == ([], None, ["brokenNonNull"])


@pytest.mark.parametrize("accept", ["multipart/mixed", BY_PATH])
async def test_time_out(client: aiohttp.ClientSession, gate: tuple[str, Gate], accept: str) -> None:
    name, door = gate
    settings = settings_without_stores(limits={"request_timeout_ms": 300})
    query = deferred(f'slowHello(gate: "{name}")')
    before = counted("STORE_TIMEOUT")
    async with serving(settings) as origin, asked(client, f"{origin}/graphql", query, accept) as (_, reader):
        await following(reader)
        last = await following(reader)
    (lost,) = last["completed" if accept == "multipart/mixed" else "incremental"]
    (error,) = lost["errors"]
    assert (error["path"], error["extensions"]["code"], last["hasNext"]) == ([], "STORE_TIMEOUT", False)
    assert "300 ms" in error["message"]
    assert door.cancelled.is_set()
    assert counted("STORE_TIMEOUT") == before + 1


async def test_hang_up(client: aiohttp.ClientSession, url: str, gate: tuple[str, Gate]) -> None:
    name, door = gate
    before = counted("CANCELLED")
    async with asked(client, url, deferred(f'slowHello(gate: "{name}")')) as (response, reader):
        await following(reader)
        await asyncio.wait_for(door.entered.wait(), PATIENCE_S)
        response.close()
    await asyncio.wait_for(door.cancelled.wait(), PATIENCE_S)
    await until(lambda: (counted("CANCELLED"), flying()) == (before + 1, 0))


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json", "*/*"])
async def test_who_takes_no_parts(client: aiohttp.ClientSession, url: str, accept: str) -> None:
    query = deferred("item { name }")
    async with client.post(url, json={"query": query}, headers={"accept": accept}) as response:
        assert await response.json(content_type=None) == {"data": {"hello": "Hello, world!", "item": {"name": "root"}}}


async def test_one_part_for_who_takes_nothing_else(client: aiohttp.ClientSession, url: str) -> None:
    async with asked(client, url, "{ hello }") as (_, reader):
        assert await following(reader) == {"data": {"hello": "Hello, world!"}, "hasNext": False}
        assert await reader.next() is None
    async with client.post(url, json={"query": "{"}, headers={"accept": "multipart/mixed"}) as refused:
        assert (refused.status, refused.content_type) == (400, "application/json")


async def test_a_spliced_list_is_not_streamed(client: aiohttp.ClientSession, url: str) -> None:
    async with asked(client, url, "{ spliced @stream { name } }") as (_, reader):
        assert await following(reader) == {"data": {"spliced": [{"name": "a"}, {"name": None}]}, "hasNext": False}
