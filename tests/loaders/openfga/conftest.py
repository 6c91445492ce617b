from collections.abc import AsyncIterator

import pytest

from tests.loaders.openfga.stores import Store, fresh_store


@pytest.fixture
async def store(openfga_url: str, openfga_token: str) -> AsyncIterator[Store]:
    async with fresh_store(openfga_url, openfga_token) as fresh:
        yield fresh
