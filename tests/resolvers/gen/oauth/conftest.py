"""An external API that Gen's users connect to: the provider runs once, the stores belong to each test."""

from collections.abc import AsyncIterator

import pytest

from tests.resolvers.gen.conftest import GenStores
from tests.resolvers.gen.oauth.world import Connecting, OAuthStores, install, offered, provider, with_oauth


@pytest.fixture(scope="package")
async def provider_url() -> AsyncIterator[str]:
    install()
    async with provider() as url:
        yield url


@pytest.fixture
async def opened(stores: GenStores) -> AsyncIterator[OAuthStores]:
    opened = with_oauth(stores)
    yield opened
    await opened.oauth.close()


@pytest.fixture
async def people(opened: OAuthStores, provider_url: str) -> Connecting:
    return Connecting(opened, provider_url, await offered(opened, provider_url))
