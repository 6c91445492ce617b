import gzip
import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from urllib.parse import urlsplit

import aiohttp
import pytest
from starlette.applications import Starlette

from gateway.http.graphiql import Explorer
from tests.gateway.auth.serving import serving

TYPES = {"js": "text/javascript", "css": "text/css", "json": "application/json"}

NEVER_LOADED = {
    "www.w3.org",  # names of XML namespaces
    "reactjs.org",  # in messages and comments from here on
    "github.com",
    "codemirror.net",
    "commonmark.org",
    "en.wikipedia.org",
}
"""Hosts named by the vendored scripts. A new version that names another fails until somebody has looked why."""


class References(HTMLParser):
    """What a browser loads on its own because of the page, and whether the page has scripts or styles of its own."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.urls: list[str] = []
        self.inline: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.urls += [named[name] or "" for name in ("src", "href", "data-page") if name in named]
        self.inline += [name for name in named if name.startswith("on") or name == "style"]
        self.inline += [tag] * (tag == "style" or (tag == "script" and "src" not in named))


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with (
        serving(Starlette(routes=Explorer(("admin", "analyst")).routes())) as origin,
        aiohttp.ClientSession(origin, headers={"Accept-Encoding": "identity"}, auto_decompress=False) as session,
    ):
        yield session


async def get(client: aiohttp.ClientSession, path: str) -> aiohttp.ClientResponse:
    """The answer with its body read."""
    async with client.get(path) as answer:
        await answer.read()
    return answer


@pytest.fixture(scope="module")
async def assets(client: aiohttp.ClientSession) -> dict[str, str]:
    """Address and text of every file that the page names."""
    page = await (await get(client, "/graphiql")).text()
    addresses = [url for url in References(page).urls if not url.startswith("data:")]
    return {address: await (await get(client, address)).text() for address in addresses}


async def test_page(client: aiohttp.ClientSession) -> None:
    answer = await get(client, "/graphiql")
    assert (answer.status, answer.content_type, answer.headers["Cache-Control"]) == (200, "text/html", "no-cache")
    assert References(await answer.text()).inline == []


@pytest.mark.parametrize("path", ["/graphiql", "/graphiql/static"])
async def test_policy(client: aiohttp.ClientSession, assets: dict[str, str], path: str) -> None:
    """The browser itself refuses whatever is not of this origin. Only styles may be inline: the editor sets them."""
    address = path if path == "/graphiql" else next(iter(assets))
    headers = (await get(client, address)).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",
        "font-src": "'self' data:",
        "img-src": "'self' data:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


async def test_assets(client: aiohttp.ClientSession, assets: dict[str, str]) -> None:
    names = [address.rsplit("/", 1)[-1] for address in assets]
    assert names == [
        "graphiql.css",
        "page.css",
        "react.js",
        "react-dom.js",
        "graphql-ws.js",
        "graphiql.js",
        "page.js",
        "page.json",
    ]
    for address in assets:
        assert re.fullmatch(r"/graphiql/static/[0-9a-f]{16}/[a-z.-]+", address)
        answer = await get(client, address)
        assert (answer.status, answer.content_type) == (200, TYPES[address.rsplit(".", 1)[-1]])
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


async def test_compressed(client: aiohttp.ClientSession, assets: dict[str, str]) -> None:
    for address, text in assets.items():
        async with client.get(address, headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            assert gzip.decompress(await answer.read()).decode() == text


async def test_old_address_is_gone(client: aiohttp.ClientSession, assets: dict[str, str]) -> None:
    """Rather than a file of another version under a name that browsers keep for good."""
    for path in ("/graphiql/static/0000000000000000/page.js", "/graphiql/static/..%2f..%2findex.html/x"):
        assert (await get(client, path)).status == 404


async def test_nothing_is_loaded_from_elsewhere(client: aiohttp.ClientSession, assets: dict[str, str]) -> None:
    page = References(await (await get(client, "/graphiql")).text())
    assert [url for url in page.urls if urlsplit(url).netloc or urlsplit(url).scheme not in ("", "data")] == []
    loads = re.compile(r"url\(\s*['\"]?(?!data:|#)[^)]*\)|@import[^;]*")
    assert [found for name, text in assets.items() if name.endswith(".css") for found in loads.findall(text)] == []
    scripts = [text for name, text in assets.items() if name.endswith(".js")]
    named = {urlsplit(url).hostname for text in scripts for url in re.findall(r"(?:https?|wss?)://[\w.-]+", text)}
    assert named == NEVER_LOADED
    assert not any(re.search(r"importScripts|sourceMappingURL|\bimport\s*\(", text) for text in scripts)
