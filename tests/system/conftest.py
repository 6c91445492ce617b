"""A gateway and a worker over the test stack with the sample data, and clients for each demo user."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import aiohttp
import clickhouse_connect
import pytest
from clickhouse_connect.driver.asyncclient import AsyncClient

from deploy.local.paths import CHECKOUT
from gateway.auth.demo_issuer import DEMO_USERS, mint_token
from gateway.settings import Settings
from tests.system.big import big_table
from tests.system.client import Client
from tests.system.process import Gateway, Running, Started
from tests.system.stores import Direct

_TIMEOUT = aiohttp.ClientTimeout(total=60)
_KEPT_S = 2.0
"""Less than the gateway keeps a connection: a test that has blocked the loop for longer does not hear it close."""


@pytest.fixture(scope="session")
def env_file() -> Path:
    return Path(os.environ.get("AXION_ENV_FILE", CHECKOUT / ".axion" / "test" / "env")).resolve()


@pytest.fixture(scope="session")
async def sample_data(settings: Settings, env_file: Path) -> None:
    """The demo's own loader; what is there already is left alone."""
    loader = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "deploy.local.demo_data",
        cwd=CHECKOUT,
        env={**os.environ, "AXION_ENV_FILE": str(env_file)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await loader.communicate()
    assert loader.returncode == 0, output.decode()


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(autouse=True)
def shown_logs(request: pytest.FixtureRequest, logs: Path) -> Generator[None]:
    """What the processes print during a test is shown with its failure."""
    before = {log: log.stat().st_size for log in logs.iterdir()}
    yield
    for log in sorted(logs.iterdir()):
        with log.open("rb") as opened:
            opened.seek(before.get(log, 0))
            request.node.add_report_section("call", log.name, opened.read()[-8_000:].decode(errors="replace"))


@pytest.fixture(scope="session")
async def gateway(sample_data: None, env_file: Path, logs: Path) -> AsyncIterator[Gateway]:
    async with Gateway.serve(env_file, logs / "gateway.log") as gateway:
        yield gateway


@pytest.fixture(scope="session")
async def worker(sample_data: None, env_file: Path, logs: Path) -> AsyncIterator[Running]:
    async with Started("worker", env_file, logs / "worker.log", {}) as running:
        await running.logs("worker_ready")
        yield running


@pytest.fixture(scope="session")
def tokens(settings: Settings) -> dict[str, str]:
    return {user: mint_token(settings, user) for user in DEMO_USERS}


@pytest.fixture(scope="session")
async def client(gateway: Gateway, tokens: dict[str, str]) -> AsyncIterator[Client]:
    connector = aiohttp.TCPConnector(keepalive_timeout=_KEPT_S)
    async with aiohttp.ClientSession(timeout=_TIMEOUT, connector=connector) as http:
        yield Client(http, gateway.url, tokens)


@pytest.fixture(scope="session")
async def clickhouse(settings: Settings) -> AsyncIterator[AsyncClient]:
    """The store itself, past the gateway."""
    client = await clickhouse_connect.get_async_client(
        dsn=settings.clickhouse.url,
        username=settings.clickhouse.username,
        password=settings.clickhouse.password.get_secret_value(),
        database=settings.clickhouse.database,
    )
    yield client
    await client.close()


@pytest.fixture(scope="session")
async def direct(settings: Settings, admin_url: str, clickhouse: AsyncClient) -> AsyncIterator[Direct]:
    direct = Direct(settings, admin_url, clickhouse)
    yield direct
    await direct.close()


@pytest.fixture(scope="session")
async def big(client: Client, settings: Settings, clickhouse: AsyncClient, direct: Direct) -> AsyncIterator[str]:
    """The global id of the dataset over five million rows."""
    async with big_table(client, settings, clickhouse, direct) as dataset:
        yield dataset
