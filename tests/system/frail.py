"""A gateway whose every store is behind a proxy, and data sources of which two are behind proxies and one is locked."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from gateway.settings import Settings
from tests.clickhouse_source import source_settings
from tests.system.client import Client
from tests.system.mutations import created
from tests.system.process import Gateway
from tests.system.proxy import Proxy
from tests.system.stores import Direct

DATABASES = ("axion_sense", "axion_sense_tasks", "axion_gen", "auradb", "powernode")
SOURCES = WAREHOUSE, LAKE, LOCKED = "system-warehouse", "system-lake", "system-locked"
QUICK = {
    "AXION_POSTGRES__STATEMENT_TIMEOUT_MS": "1000",
    "AXION_CLICKHOUSE__QUERY_TIMEOUT_MS": "1000",
    "AXION_OPENFGA__TIMEOUT_MS": "500",
}


@dataclass(frozen=True, slots=True)
class Frail:
    """`proxies` by the store behind them, of a data source `datasource:{name}`; `known_as` gives its public name."""

    gateway: Gateway
    proxies: Mapping[str, Proxy]
    sources: Mapping[str, str]

    def known_as(self, store: str) -> str:
        return self.sources.get(store, store)


@asynccontextmanager
async def frail_gateway(
    settings: Settings, env_file: Path, log: Path, client: Client, direct: Direct
) -> AsyncIterator[Frail]:
    async with AsyncExitStack() as stack:
        proxies: dict[str, Proxy] = {}

        async def through(store: str, url: str) -> str:
            """The URL by way of the store's proxy."""
            parts = urlsplit(url)
            proxies[store] = proxy = await stack.enter_async_context(
                Proxy.before(parts.hostname or "", parts.port or 0)
            )
            credentials, at, _ = parts.netloc.rpartition("@")
            return parts._replace(netloc=f"{credentials}{at}127.0.0.1:{proxy.port}").geturl()

        changes = dict(QUICK)
        for database in DATABASES:
            url = getattr(settings.databases, database).app_url.get_secret_value()
            changes[f"AXION_DATABASES__{database.upper()}__APP_URL"] = await through(database, url)
        changes["AXION_CLICKHOUSE__URL"] = await through("clickhouse", settings.clickhouse.url)
        changes["AXION_OPENFGA__URL"] = await through("openfga", settings.openfga.url)
        changes["AXION_OBJECTS__ENDPOINT"] = await through("objects", settings.objects.endpoint)
        warehouse = await through(f"datasource:{WAREHOUSE}", settings.clickhouse.url)
        lake = await through(f"datasource:{LAKE}", settings.objects.endpoint)
        await remove_sources(direct, SOURCES)
        stack.push_async_callback(remove_sources, direct, SOURCES)
        await _add(client, settings, warehouse, lake)
        rows = await direct.postgres("axion_gen", "SELECT id, name FROM data_sources WHERE name = ANY($1)", SOURCES)
        known_as = {f"datasource:{row['name']}": f"datasource:{row['id']}" for row in rows}
        yield Frail(await stack.enter_async_context(Gateway.serve(env_file, log, changes)), proxies, known_as)


async def _add(client: Client, settings: Settings, warehouse: str, lake: str) -> None:
    objects, server = settings.objects, source_settings(settings, "nycflights13")
    bucket = {
        "endpoint": lake,
        "region": objects.region,
        "bucket": "lake",
        "prefix": "nycflights13",
        "access_key": objects.access_key.get_secret_value(),
        "secret_key": objects.secret_key.get_secret_value(),
    }
    for name, connector, options in (
        (WAREHOUSE, "clickhouse", {**server, "url": warehouse}),
        (LOCKED, "clickhouse", {**server, "password": "not " + server["password"]}),
        (LAKE, "s3_parquet", bucket),
    ):
        await add_source(client, name, connector, options)


async def add_source(client: Client, name: str, connector: str, options: Mapping[str, object]) -> str:
    """The global id of a dataset of all tables of a new data source, both of that name."""
    source = await created(client, "GenDataSource", name=name, connectorType=connector, settings=dict(options))
    return await created(client, "GenDataset", name=name, dataSourceId=source)


async def remove_sources(direct: Direct, names: Sequence[str]) -> None:
    """Also what an interrupted run left."""
    await direct.postgres("axion_gen", "DELETE FROM datasets WHERE name = ANY($1)", names)
    await direct.postgres("axion_gen", "DELETE FROM data_sources WHERE name = ANY($1)", names)
