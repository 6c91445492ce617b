from collections.abc import AsyncIterator

import pytest
from joserfc.jwk import RSAKey

from gateway.auth.oidc import TokenVerifier
from tests.gateway.auth.provider import Provider, provider, rsa


@pytest.fixture(scope="session")
def signing_key() -> RSAKey:
    return rsa("first")


@pytest.fixture
async def idp(signing_key: RSAKey) -> AsyncIterator[Provider]:
    async with provider(signing_key) as running:
        yield running


@pytest.fixture
def verifier(idp: Provider) -> TokenVerifier:
    return idp.verifier()
