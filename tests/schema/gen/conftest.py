import pytest

from tests.resolvers.gen.conftest import As, GenStores, as_, gen_url, store, stores
from tests.schema.gen.world import World, make_world

__all__ = ["as_", "gen_url", "store", "stores", "world"]


@pytest.fixture
async def world(as_: As, stores: GenStores) -> World:
    return await make_world(as_, stores)
