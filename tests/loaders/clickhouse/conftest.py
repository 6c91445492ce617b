"""The client on a server of its own: tests count the running queries and end the process."""

from collections.abc import AsyncIterator

import pytest

from loaders.clickhouse.client import ClickHouse
from loaders.ledger import Ledger
from tests.deploy.clickhouse_server.fixtures import http, server
from tests.deploy.clickhouse_server.server import Server

__all__ = ["client", "http", "ledger", "server"]


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[ClickHouse]:
    client = ClickHouse.open(server.url, "default", server.password, None)
    await client.ping()  # so that what runs later is the test's own
    yield client
    await client.close()
