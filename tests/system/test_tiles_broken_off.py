"""A bundle whose store fails while it is read does not look whole, and the log says why."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from gateway.settings import Settings
from gateway.stores import open_stores
from tests.system.bundles import Bundle, stored_bundle
from tests.system.client import Client
from tests.system.process import Gateway
from tests.system.proxy import Proxy

BYTES = 40_000_000
"""More than both kernels' buffers take."""


@dataclass(frozen=True, slots=True)
class Frail:
    """The gateway of `asking` has its bucket behind the proxy."""

    asking: Client
    gateway: Gateway
    proxy: Proxy
    bundle: Bundle

    @property
    def url(self) -> str:
        return self.asking.url + urlsplit(self.bundle.url).path

    def get(self, **headers: str) -> "aiohttp.client._RequestContextManager":
        return self.asking.http.get(self.url, headers=self.asking.headers("analyst", **headers))


@pytest.fixture(scope="module")
async def frail(settings: Settings, env_file: Path, logs: Path, client: Client) -> AsyncIterator[Frail]:
    address = urlsplit(settings.objects.endpoint)
    async with (
        Proxy.before(address.hostname or "", address.port or 0) as proxy,
        stored_bundle(client, settings, b"PMTiles\x03" + secrets.token_bytes(BYTES)) as bundle,
    ):
        changes = {"AXION_OBJECTS__ENDPOINT": f"http://127.0.0.1:{proxy.port}"}
        async with Gateway.serve(env_file, logs / "tiles.log", changes) as gateway:
            yield Frail(client.at(gateway.url), gateway, proxy, bundle)


async def test_a_store_that_breaks_off_leaves_no_whole_bundle(frail: Frail) -> None:
    logged = len(frail.gateway.running.lines())
    with frail.proxy.cut_after(BYTES // 2):
        async with frail.get() as response:
            assert (response.status, response.headers["content-length"]) == (200, str(len(frail.bundle.content)))
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()
    await frail.gateway.running.logs("stream_broken", "STORE_UNAVAILABLE", "objects", since=logged)
    await frail.gateway.running.logs('"event":"request"', '"code":"STORE_UNAVAILABLE"', since=logged)
    assert [line for line in frail.gateway.running.lines() if "Traceback" in line] == []
    async with frail.get(range="bytes=0-6") as response:
        assert (response.status, await response.read()) == (206, b"PMTiles")


async def test_a_bundle_that_is_replaced_while_it_is_read_is_no_mixture(frail: Frail, settings: Settings) -> None:
    logged = len(frail.gateway.running.lines())
    async with frail.get() as response, open_stores(settings) as stores:
        await response.content.readexactly(1_000)
        await stores.objects.put(frail.bundle.key, b"PMTiles\x03" + secrets.token_bytes(BYTES))
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
        await stores.objects.put(frail.bundle.key, frail.bundle.content)
    await frail.gateway.running.logs("stream_broken", "CONFLICT", "replaced", since=logged)
    async with frail.get() as response:
        assert await response.read() == frail.bundle.content


async def test_a_store_that_is_down_is_told_before_anything_is_sent(frail: Frail) -> None:
    async with frail.proxy.being("down"), frail.get() as response:
        (error,) = (await response.json())["errors"]
        assert (response.status, response.headers["retry-after"]) == (503, "5")
    assert error["extensions"] == {"code": "STORE_UNAVAILABLE", "store": "objects"}
