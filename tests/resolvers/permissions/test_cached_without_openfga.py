"""Kept verdicts when OpenFGA is gone: used until they have aged and not a moment longer."""

from pathlib import Path

import pytest

from deploy.local.paths import cache_folder
from deploy.local.progress import Progress
from deploy.local.provision.artifact import provide
from deploy.local.provision.go_binary import OPENFGA
from loaders.errors import PermissionsUnavailable
from loaders.ledger import Ledger
from loaders.openfga.client import Checked
from loaders.openfga.tuples import Check, RelationTuple
from resolvers.permissions.cached import CachedAuthority
from tests.loaders.openfga.server import own_server
from tests.loaders.openfga.stores import fresh_store
from tests.resolvers.permissions.test_cached import SECONDS, Clock

CHECK = Check("can_view", "organization:1")
GRANT = RelationTuple("user:ann", "member", "organization:1")


@pytest.fixture(scope="module")
def openfga_binary() -> Path:
    return provide(OPENFGA, cache=cache_folder(), progress=Progress()).folder / "bin" / "openfga"


async def test_killed_is_denied_when_the_kept_has_aged(openfga_binary: Path) -> None:
    clock = Clock()
    async with own_server(openfga_binary) as server, fresh_store(server.url, server.token) as store:
        fga = store.client()
        await fga.write([GRANT], ledger=Ledger())
        cached = CachedAuthority(fga, seconds=SECONDS, size=9, clock=clock)
        assert await _granted(cached)
        await server.kill()
        assert await _granted(cached)
        clock.now += SECONDS
        for _ in range(2):
            with pytest.raises(PermissionsUnavailable, match="reached"):
                await _granted(cached)
            with pytest.raises(PermissionsUnavailable, match="reached"):
                await cached.list_objects("ann", "can_view", "organization", ledger=Ledger())


async def _granted(cached: CachedAuthority) -> bool:
    answer = await cached.batch_check("ann", [CHECK], ledger=Ledger())
    assert answer == Checked(frozenset({CHECK}))
    return True
