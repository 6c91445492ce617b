"""Opens every store in one function, and closes them in the reverse order."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Literal

from gateway.settings import Databases, DatabaseUrls, Settings
from loaders.addresses import Networks, Reach
from loaders.clickhouse.client import ClickHouse
from loaders.clickhouse.source import ClickHouseSource
from loaders.jobs.watch import JobWatcher
from loaders.oauth.client import OAuthClient
from loaders.objects.bucket import Objects
from loaders.openfga.client import OpenFga
from loaders.postgres.client import Postgres
from loaders.secrets.keyring import Keyring
from loaders.stores import Stores
from loaders.vectors.embeddings import Embeddings
from loaders.vectors.local import LocalHashing
from loaders.vectors.openai import OpenAiCompatible
from loaders.warehouses.pools import Warehouses

SESSION: dict[str, dict[str, str]] = {
    "auradb": {
        "hnsw.iterative_scan": "strict_order",
        "hnsw.ef_search": "300",
        "hnsw.max_scan_tuples": "2147483647",
        "hnsw.scan_mem_multiplier": "32",
        "work_mem": "16MB",
    }
}
"""A filtered similarity search goes on in the index until it has its k rows (pgvector 0.8), and not only through the
20,000 rows that are its default: what ends it is the statement's time-out, or `work_mem` times 32 of visited rows, some
four million. Ended with fewer than there are, it is done again without the index (`loaders.postgres.whole`).
`ef_search`: of 100,000 chunks in ten workspaces, recall@10 is 0.94 at 40, 0.97 at 100, 0.985 at 200 and at 300, by an
index with `m` 32 and `ef_construction` 200; from 400 Postgres finds it dearer than to read and sort a tenth of all."""


@asynccontextmanager
async def open_stores(settings: Settings, *, role: Literal["app", "worker"] = "app") -> AsyncIterator[Stores]:
    """Connects to nothing yet: a store that is down fails its own reads, and the process starts without it."""
    async with AsyncExitStack() as stack:
        postgres = {name: await _open_postgres(name, settings, role, stack) for name in Databases.model_fields}
        clickhouse = ClickHouse.open(
            settings.clickhouse.url,
            settings.clickhouse.username,
            settings.clickhouse.password.get_secret_value(),
            settings.clickhouse.database,
            timeout_ms=settings.clickhouse.query_timeout_ms,
        )
        stack.push_async_callback(clickhouse.close)
        token = settings.openfga.token
        openfga = await OpenFga.open(
            url=settings.openfga.url,
            token=token.get_secret_value() if token else None,
            store=settings.openfga.store,
            timeout_ms=settings.openfga.timeout_ms,
        )
        stack.push_async_callback(openfga.close)
        keyring = open_keyring(settings)
        most = settings.limits.max_answer_bytes
        chosen = settings.data_sources
        networks = Networks(denied=chosen.denied_networks, allowed=chosen.allowed_networks)
        warehouses = Warehouses(
            postgres["axion_gen"],
            keyring,
            networks=networks,
            processes=chosen.query_processes,
            answer_bytes=most,
        )
        stack.push_async_callback(warehouses.close)
        objects = Objects.open(
            endpoint=settings.objects.endpoint,
            bucket=settings.objects.bucket,
            region=settings.objects.region,
            access_key=settings.objects.access_key.get_secret_value(),
            secret_key=settings.objects.secret_key.get_secret_value(),
        )
        stack.push_async_callback(objects.close)
        embeddings = _embeddings(settings)
        stack.push_async_callback(embeddings.close)
        oauth = OAuthClient(
            redirect_url=settings.oauth.redirect_url,
            timeout_ms=settings.oauth.timeout_ms,
            reach=Reach(loopback=settings.mode == "demo", private=settings.oauth.allow_private_addresses),
        )
        stack.push_async_callback(oauth.close)
        jobs = JobWatcher(postgres["axion_sense_tasks"], _url(settings.databases.axion_sense_tasks, role))
        jobs.start()
        stack.push_async_callback(jobs.close)
        yield Stores(
            postgres=postgres,
            columnar={"clickhouse": ClickHouseSource(clickhouse, answer_bytes=most)},
            streaming={"clickhouse": ClickHouseSource(clickhouse, settings.clickhouse.stream_timeout_ms)},
            clickhouse=clickhouse,
            openfga=openfga,
            warehouses=warehouses,
            objects=objects,
            keyring=keyring,
            embeddings=embeddings,
            oauth=oauth,
            jobs=jobs,
        )


def open_keyring(settings: Settings) -> Keyring:
    """Raises `ValueError`, which names the version whose key is malformed."""
    keys = {version: key.get_secret_value() for version, key in settings.encryption.keys.items()}
    return Keyring(keys, settings.encryption.current_version)


async def _open_postgres(
    name: str, settings: Settings, role: Literal["app", "worker"], stack: AsyncExitStack
) -> Postgres:
    urls: DatabaseUrls = getattr(settings.databases, name)
    postgres = await Postgres.open(
        name,
        _url(urls, role),
        pool_max=settings.postgres.pool_max,
        statement_timeout_ms=settings.postgres.statement_timeout_ms,
        write_pool_max=settings.postgres.write_pool_max,
        lock_timeout_ms=settings.postgres.lock_timeout_ms if role == "app" else 0,
        answer_bytes=settings.limits.max_answer_bytes,
        settings=SESSION.get(name),
    )
    stack.push_async_callback(postgres.close)
    return postgres


def _url(urls: DatabaseUrls, role: Literal["app", "worker"]) -> str:
    return (urls.app_url if role == "app" else urls.worker_url).get_secret_value()


def _embeddings(settings: Settings) -> Embeddings:
    chosen = settings.embeddings
    if chosen.url is None:
        return LocalHashing(chosen.dimensions)
    key = chosen.api_key
    return OpenAiCompatible(
        url=chosen.url,
        api_key=key.get_secret_value() if key else None,
        model=chosen.model,
        dimensions=chosen.dimensions,
        timeout_ms=chosen.timeout_ms,
    )
