"""The test stack's addresses. `make test` starts it and names its env file; nothing here starts or mocks a store."""

import gc
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from xdist.remote import Producer

from deploy.local.paths import CHECKOUT
from deploy.local.progress import Progress
from deploy.local.servers import bigquery as bigquery_server
from deploy.local.servers import flight_sql as flight_sql_server
from deploy.local.servers import impala as impala_server
from deploy.local.stack import Stack
from gateway.settings import Settings
from loaders.clickhouse.client import ClickHouse
from tests.side_by_side import ByFolder, take_stack


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--every-engine", action="store_true", help="ask the slow warehouses all questions too (minutes)")


@dataclass(frozen=True, slots=True)
class Emulators:
    stack: Stack

    def start(self, name: str) -> None:
        """Returns when it answers. What it needs is built first, if it is not in the cache."""
        with Progress() as progress:
            self.stack.start_emulators([name], progress)


@dataclass(frozen=True, slots=True)
class S3:
    """The stack's S3 server and its root credentials."""

    endpoint: str
    access_key: str
    secret_key: str


def pytest_configure() -> None:
    take_stack()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFolder:
    config.option.loadscopereorder = False
    return ByFolder(config, log)


def pytest_collection_finish() -> None:
    """What was imported to collect the tests is kept to the end: the garbage collector need not look at it."""
    gc.freeze()


def pytest_unconfigure() -> None:
    """Python frees classes by collecting their cycles: what it must not collect, bindings report as leaked."""
    gc.unfreeze()


@pytest.fixture(scope="session")
def env_file() -> Path:
    """Of the running test stack. Without one there is nothing to test against, so this fails."""
    named = os.environ.get("AXION_ENV_FILE")
    path = Path(named) if named else CHECKOUT / ".axion" / "test" / "env"
    if not path.is_file():
        pytest.fail("the test stack is not up: run `make test`, or `axion stack up --name test && axion migrate all`")
    return path


@pytest.fixture(scope="session")
def settings(env_file: Path) -> Settings:
    """The settings of the running test stack."""
    return Settings(_env_file=env_file)


@pytest.fixture(scope="session")
def emulators(env_file: Path) -> Emulators:
    """The stack's emulators of warehouses: started when first asked for, and stopped with the stack."""
    stack = Stack.existing(env_file.resolve().parent.name)
    if stack is None:
        pytest.fail("the warehouses' emulators belong to a stack of this checkout: run `make test`")
    return Emulators(stack)


@pytest.fixture(scope="session")
def bigquery(emulators: Emulators) -> bigquery_server.Address:
    emulators.start(bigquery_server.NAME)
    return bigquery_server.address(emulators.stack.ports)


@pytest.fixture(scope="session")
def impala(emulators: Emulators) -> impala_server.Address:
    emulators.start(impala_server.NAME)
    return impala_server.address(emulators.stack.ports, emulators.stack.secrets)


@pytest.fixture(scope="session")
def flight_sql(emulators: Emulators) -> flight_sql_server.Address:
    emulators.start(flight_sql_server.NAME)
    return flight_sql_server.address(emulators.stack.paths, emulators.stack.ports, emulators.stack.secrets)


@pytest.fixture(scope="session")
def admin_url(settings: Settings) -> str:
    """The superuser's URL of the stack's Postgres."""
    assert settings.postgres.admin_url is not None
    return settings.postgres.admin_url.get_secret_value()


@pytest.fixture(scope="session")
def openfga_url(settings: Settings) -> str:
    return settings.openfga.url


@pytest.fixture(scope="session")
def openfga_token(settings: Settings) -> str:
    assert settings.openfga.token is not None
    return settings.openfga.token.get_secret_value()


@pytest.fixture(scope="session")
def clickhouse_url(settings: Settings) -> str:
    return settings.clickhouse.url


@pytest.fixture(scope="session")
def clickhouse_password(settings: Settings) -> str:
    return settings.clickhouse.password.get_secret_value()


@pytest.fixture(scope="session")
async def clickhouse_client(clickhouse_url: str, clickhouse_password: str) -> AsyncIterator[ClickHouse]:
    """A client of the stack's ClickHouse that may create databases. It has none of its own."""
    client = ClickHouse.open(clickhouse_url, "default", clickhouse_password, None)
    yield client
    await client.close()


@pytest.fixture(scope="session")
def s3(settings: Settings) -> S3:
    objects = settings.objects
    return S3(objects.endpoint, objects.access_key.get_secret_value(), objects.secret_key.get_secret_value())
