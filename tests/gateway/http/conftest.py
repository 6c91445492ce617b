from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.gateway.http.application import serving


@pytest.fixture(scope="session")
async def url() -> AsyncIterator[str]:
    """The endpoint under default settings."""
    async with serving() as origin:
        yield f"{origin}/graphql"


@pytest.fixture(scope="session")
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session
