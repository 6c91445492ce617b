import pytest

from deploy.local.samples.flights import NewYorkFlights, new_york_flights
from gateway.settings import Settings
from loaders.clickhouse.client import ClickHouse
from tests.clickhouse_source import source_settings
from tests.resolvers.gen.conftest import As, GenStores, as_, gen_url, store, stores
from tests.schema.gen import new_york
from tests.schema.gen.world import World, make_world

__all__ = ["as_", "gen_url", "new_york_database", "nyc", "sample", "store", "stores", "world"]


@pytest.fixture
async def world(as_: As, stores: GenStores) -> World:
    return await make_world(as_, stores)


@pytest.fixture(scope="session")
def sample() -> NewYorkFlights:
    return new_york_flights()


@pytest.fixture(scope="session")
async def new_york_database(sample: NewYorkFlights, clickhouse_client: ClickHouse) -> str:
    await new_york.load(clickhouse_client, sample)
    return new_york.DATABASE


@pytest.fixture
async def nyc(world: World, stores: GenStores, new_york_database: str, settings: Settings) -> World:
    """The world with the flights of New York: dataset `nyc` of data source `nyc`."""
    given = source_settings(settings, new_york_database)
    return await new_york.add_source(world, stores, source="nyc", dataset="nyc", settings=given, connector="clickhouse")
