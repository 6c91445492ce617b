from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.paths import cache_folder
from deploy.local.progress import Progress
from deploy.local.provision.artifact import provide
from deploy.local.provision.go_binary import OPENFGA
from tests.loaders.openfga.stores import Store, fresh_store


@pytest.fixture(scope="session")
def openfga_binary() -> Path:
    """The stack's own, from the cache: for tests that stop, freeze and kill a server of theirs."""
    return provide(OPENFGA, cache=cache_folder(), progress=Progress()).folder / "bin" / "openfga"


@pytest.fixture
async def store(openfga_url: str, openfga_token: str) -> AsyncIterator[Store]:
    async with fresh_store(openfga_url, openfga_token) as fresh:
        yield fresh
