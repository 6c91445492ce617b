from collections.abc import AsyncIterator, Iterator

import pytest

from tests.loaders.openfga.stores import Store, fresh_store
from tests.resolvers.written_database import Urls, World, world, written_database


@pytest.fixture(scope="session")
def written_urls(admin_url: str) -> Iterator[Urls]:
    with written_database(admin_url) as urls:
        yield urls


@pytest.fixture(scope="session")
async def written_store(openfga_url: str, openfga_token: str) -> AsyncIterator[Store]:
    async with fresh_store(openfga_url, openfga_token) as fresh:
        yield fresh


@pytest.fixture(name="world")
async def _world(written_urls: Urls, written_store: Store) -> AsyncIterator[World]:
    async with world(written_urls, written_store) as opened:
        yield opened
