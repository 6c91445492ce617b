from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from tests.loaders.jobs.database import JobDatabase, job_database


@pytest.fixture(scope="session")
def job_stack(admin_url: str) -> Iterator[JobDatabase]:
    """A job database no other worker looks at."""
    with job_database(admin_url) as database:
        yield database


@pytest.fixture(scope="session")
async def job_admin(job_stack: JobDatabase) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(job_stack.admin_url)
    yield connection
    await connection.close()
