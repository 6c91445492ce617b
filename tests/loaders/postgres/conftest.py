"""The odd rows in a scratch database, behind the client that production uses."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from loaders.postgres.client import Postgres
from tests.loaders.postgres.database import execute, scratch_database
from tests.loaders.postgres.rows import DATA, TABLES, create, insert, texts


@pytest.fixture(scope="session")
async def scratch_url(admin_url: str) -> AsyncIterator[str]:
    async with scratch_database(admin_url) as url:
        await execute(
            url, "CREATE EXTENSION postgis", "CREATE EXTENSION vector", 'CREATE SCHEMA "odd ones"', *map(create, TABLES)
        )
        connection = await asyncpg.connect(url, server_settings={"TimeZone": "UTC"})
        for table in TABLES:
            await connection.executemany(insert(table), [texts(row, table) for row in DATA[table.name]])
        await connection.close()
        yield url


@pytest.fixture(scope="session")
async def postgres(scratch_url: str) -> AsyncIterator[Postgres]:
    opened = await Postgres.open("scratch", scratch_url, pool_max=2, statement_timeout_ms=20_000)
    yield opened
    await opened.close()
