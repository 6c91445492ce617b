import base64
from collections.abc import AsyncIterator, Iterator

import pytest
import sqlalchemy as sa

from loaders.postgres.client import Postgres
from loaders.secrets.keyring import Keyring
from loaders.tables.axion_gen.catalog import DataSource
from tests.loaders.warehouses.gen_database import gen_database


@pytest.fixture(scope="session")
def gen_url(admin_url: str) -> Iterator[str]:
    with gen_database(admin_url) as url:
        yield url


@pytest.fixture
async def gen(gen_url: str) -> AsyncIterator[Postgres]:
    opened = await Postgres.open("axion_gen", gen_url, pool_max=4, statement_timeout_ms=5_000)
    async with opened.transaction() as session:
        await session.execute(sa.delete(DataSource))
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    return Keyring({1: base64.b64encode(bytes(range(32))).decode()}, current_version=1)
