"""A data source added, changed and removed through a gateway counts in a worker that runs all the while."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from clickhouse_connect.driver.asyncclient import AsyncClient

from gateway.settings import Settings
from tests.clickhouse_source import source_settings
from tests.system.frail import add_source, remove_sources
from tests.system.proxy import Proxy
from tests.system.stores import Direct
from tests.system.two_gateways.conftest import Two
from tests.waiting import until

NAME = "system-worker"
DATABASES = {"axion_here": "carrier String", "axion_there": "carrier String, name String"}
JOB = "query Job($id: ID!) { job(id: $id) { state error } }"
SEEN = """
query Seen($dataset: ID!) { gen { dataset(id: $dataset) { dataSource { id } table(name: "airlines") {
  profile { version drift { added } }
} } } }
"""
pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture
async def databases(clickhouse: AsyncClient) -> AsyncIterator[None]:
    """Two, with a table of one name and different columns."""
    for name, columns in DATABASES.items():
        await clickhouse.command(f"CREATE DATABASE IF NOT EXISTS {name}")
        await clickhouse.command(f"CREATE OR REPLACE TABLE {name}.airlines ({columns}) ENGINE = Memory")
    yield
    for name in DATABASES:
        await clickhouse.command(f"DROP DATABASE {name}")


async def profiled(two: Two, dataset: str) -> Any:
    """The table's profile after a refresh by the worker, of metadata."""
    table = {"datasetId": dataset, "tableName": "airlines", "sampleRows": 0}
    started = await two.do("genTableProfileRefresh", table, shown="job { id }")
    job: dict[str, Any] = {}

    async def over() -> bool:
        job.update((await two.here.ask(JOB, {"id": started["job"]["id"]})).data["job"])
        return job["state"] in ("SUCCEEDED", "FAILED", "CANCELLED")

    await until(over, timeout_s=60)
    assert (job["state"], job["error"]) == ("SUCCEEDED", None)
    return (await two.here.ask(SEEN, {"dataset": dataset})).data["gen"]["dataset"]["table"]["profile"]


async def test_it_counts_in_a_worker(two: Two, databases: None, settings: Settings, direct: Direct) -> None:
    store = urlsplit(settings.clickhouse.url)
    await remove_sources(direct, [NAME])
    async with Proxy.before(store.hostname or "", store.port or 0) as proxy:
        here = source_settings(settings, "axion_here") | {"url": f"http://127.0.0.1:{proxy.port}"}
        dataset = await add_source(two.here, NAME, "clickhouse", here)
        assert (await profiled(two, dataset))["version"] == 1, "added, and read there at once"
        source = (await two.here.ask(SEEN, {"dataset": dataset})).data["gen"]["dataset"]["dataSource"]["id"]
        done = await two.do("genDataSourceUpdate", {"id": source, "settings": {**here, "database": "axion_there"}})
        assert done["__typename"] == "GenDataSourceUpdatePayload", done

        async def is_there() -> bool:
            return bool((await profiled(two, dataset))["drift"]["added"] == ["name"])

        await until(is_there, timeout_s=30)
        assert (await two.do("genDatasetDelete", {"id": dataset}))["__typename"] == "GenDatasetDeletePayload"
        assert (await two.do("genDataSourceDelete", {"id": source}))["__typename"] == "GenDataSourceDeletePayload"
        await until(lambda: proxy.connections == 0, timeout_s=20)  # the worker's are closed, too
