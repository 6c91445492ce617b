from collections.abc import AsyncIterator, Iterator

import pytest

from tests.loaders.openfga.stores import Store, fresh_store
from tests.resolvers.written_database import World, world, written_database


@pytest.fixture(scope="session")
def written_url(admin_url: str) -> Iterator[str]:
    with written_database(admin_url) as url:
        yield url


@pytest.fixture(scope="session")
async def written_store(openfga_url: str, openfga_token: str) -> AsyncIterator[Store]:
    async with fresh_store(openfga_url, openfga_token) as fresh:
        yield fresh


@pytest.fixture(name="world")
async def _world(written_url: str, written_store: Store) -> AsyncIterator[World]:
    async with world(written_url, written_store) as opened:
        yield opened
