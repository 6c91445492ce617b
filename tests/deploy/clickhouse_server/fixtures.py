"""Fixtures of the tests that need their own server; imported by the conftest of each folder that has such tests."""

import io
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp.client import _RequestContextManager

from tests.deploy.clickhouse_server.server import Server, running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("clickhouse")) as server:
        yield server


class Http:
    """Raw requests of the server's user."""

    def __init__(self, session: aiohttp.ClientSession, server: Server) -> None:
        self.session = session
        self.server = server

    def post(self, sql: str | bytes | io.BytesIO, **parameters: str | int) -> _RequestContextManager:
        return self.session.post(f"{self.server.url}/?{urlencode(parameters)}", data=sql)

    async def text(self, sql: str | bytes | io.BytesIO, **parameters: str | int) -> str:
        async with self.post(sql, **parameters) as response:
            text = await response.text()
            assert response.status == 200, text
            return text

    async def running(self) -> list[str]:
        """Names of the queries that run, without the one that asks."""
        names = await self.text("SELECT query_id FROM system.processes", query_id="asking")
        return [name for name in names.split() if name != "asking"]


@pytest.fixture
async def http(server: Server) -> AsyncIterator[Http]:
    async with aiohttp.ClientSession(headers={**server.authorization, "Accept-Encoding": "identity"}) as session:
        yield Http(session, server)
