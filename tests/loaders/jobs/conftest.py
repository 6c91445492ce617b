from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from loaders.jobs.attempts import Attempts
from loaders.jobs.store import JobStore
from loaders.jobs.watch import JobWatcher
from loaders.postgres.client import Postgres
from tests.loaders.jobs.database import JobDatabase, job_database, opened


@pytest.fixture(scope="session")
def database(admin_url: str) -> Iterator[JobDatabase]:
    with job_database(admin_url) as database:
        yield database


@pytest.fixture(scope="session")
async def app(database: JobDatabase) -> AsyncIterator[Postgres]:
    async with opened(database.app_url) as postgres:
        yield postgres


@pytest.fixture(scope="session")
async def worker(database: JobDatabase) -> AsyncIterator[Postgres]:
    async with opened(database.worker_url) as postgres:
        yield postgres


@pytest.fixture(scope="session")
async def admin(database: JobDatabase) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database.admin_url)
    yield connection
    await connection.close()


@pytest.fixture
def store(app: Postgres) -> JobStore:
    return JobStore(app)


@pytest.fixture
def attempts(worker: Postgres) -> Attempts:
    return Attempts(worker)


@pytest.fixture
async def watcher(app: Postgres, database: JobDatabase) -> AsyncIterator[JobWatcher]:
    watcher = JobWatcher(app, database.app_url)
    watcher.start()
    yield watcher
    await watcher.close()
