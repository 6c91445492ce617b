"""A data source added, changed and removed through one gateway counts in another that runs all the while."""

import asyncio
from urllib.parse import urlsplit

import pyarrow as pa

from gateway.settings import Settings
from tests.clickhouse_source import source_settings
from tests.system.frail import add_source, remove_sources
from tests.system.proxy import Proxy
from tests.system.stores import Direct
from tests.system.two_gateways.conftest import Two
from tests.waiting import until

NAME = "system-two-gateways"
ROWS = """
query Rows($dataset: ID!) { gen { dataset(id: $dataset) {
  dataSource { id } airlines: table(name: "airlines") { rows { totalCount } } airports: table(name: "airports") { name }
} } }
"""
FLIGHTS = """
query Flights($dataset: ID!) { gen { dataset(id: $dataset) { table(name: "flights") { rows { nodes } } } } }
"""


async def test_it_counts_there_without_a_restart(two: Two, settings: Settings, direct: Direct) -> None:
    store = urlsplit(settings.clickhouse.url)
    assert store.hostname is not None
    assert store.port is not None
    await remove_sources(direct, [NAME])
    async with Proxy.before(store.hostname, store.port) as proxy:
        right = source_settings(settings, "nycflights13") | {"url": f"http://127.0.0.1:{proxy.port}"}
        dataset = await add_source(two.here, NAME, "clickhouse", right)
        found = (await two.there.ask(ROWS, {"dataset": dataset})).data["gen"]["dataset"]
        assert found["airlines"] == {"rows": {"totalCount": 16}}, "added here, read there at once"
        source = found["dataSource"]["id"]
        await _changed(two, source, dataset, right)
        await _renamed(two, source, dataset)
        await _narrowed(two, dataset)
        await _removed(two, source, dataset, proxy)


async def test_what_streams_goes_on(two: Two, settings: Settings, direct: Direct) -> None:
    """Under the settings it began with, to its end; what comes later is under the new ones."""
    await remove_sources(direct, [NAME])
    right = source_settings(settings, "nycflights13")
    dataset = await add_source(two.here, NAME, "clickhouse", right)
    source = (await two.there.ask(ROWS, {"dataset": dataset})).data["gen"]["dataset"]["dataSource"]["id"]
    async with two.there.arrow(FLIGHTS, {"dataset": dataset}) as response:
        assert response.status == 200
        first = await response.content.readexactly(100_000)
        wrong = {**right, "password": "not " + right["password"]}
        await two.do("genDataSourceUpdate", {"id": source, "settings": wrong})

        async def refused() -> bool:
            return set((await two.there.ask(ROWS, {"dataset": dataset})).codes) == {"STORE_CREDENTIALS_REJECTED"}

        await until(refused)
        assert (await two.do("genDatasetDelete", {"id": dataset}))["__typename"] == "GenDatasetDeletePayload"
        assert (await two.do("genDataSourceDelete", {"id": source}))["__typename"] == "GenDataSourceDeletePayload"
        with pa.ipc.open_stream(first + await response.read()) as stream:
            assert stream.read_all().num_rows == 336_776


async def _changed(two: Two, source: str, dataset: str, right: dict[str, str]) -> None:
    wrong = {**right, "password": "not " + right["password"]}
    moved = {**right, "url": "http://127.0.0.1:1"}
    for settings, codes in (
        (wrong, {"STORE_CREDENTIALS_REJECTED"}),
        (right, set()),
        (moved, {"STORE_UNAVAILABLE"}),
        (right, set()),
    ):
        done = await two.do("genDataSourceUpdate", {"id": source, "settings": settings})
        assert done["__typename"] == "GenDataSourceUpdatePayload", done
        assert set((await two.here.ask(ROWS, {"dataset": dataset})).codes) == codes, "here at once"

        async def so_there(expected: set[str] = codes) -> bool:
            return set((await two.there.ask(ROWS, {"dataset": dataset})).codes) == expected

        await until(so_there)


async def _renamed(two: Two, source: str, dataset: str) -> None:
    """There, too, as soon as its verdicts know the new name's permissions."""
    named = "query Named($id: ID!) { node(id: $id) { ... on GenDataSource { name } } }"
    for name in (f"{NAME} renamed", NAME):
        done = await two.do("genDataSourceUpdate", {"id": source, "name": name}, shown="permissionsPending")
        assert done == {"__typename": "GenDataSourceUpdatePayload", "permissionsPending": False}

        async def so_there(expected: str = name) -> bool:
            found = await two.there.ask(named, {"id": source})
            return bool(found.data == {"node": {"name": expected}})

        await until(so_there)
        assert (await two.there.ask(ROWS, {"dataset": dataset})).data["gen"]["dataset"]["airlines"] is not None


async def _narrowed(two: Two, dataset: str) -> None:
    done = await two.do("genDatasetUpdate", {"id": dataset, "patch": {"tableNames": ["airports"]}})
    assert done["__typename"] == "GenDatasetUpdatePayload", done
    for asked in (two.here, two.there):
        found = (await asked.ask(ROWS, {"dataset": dataset})).data["gen"]["dataset"]
        assert (found["airlines"], found["airports"]) == (None, {"name": "airports"}), "at once"


async def _removed(two: Two, source: str, dataset: str, proxy: Proxy) -> None:
    refused = await two.do("genDataSourceDelete", {"id": source})
    assert refused["__typename"] == "Conflict"
    assert repr(NAME) in refused["message"]
    assert proxy.connections >= 2, "both have it open"
    assert (await two.do("genDatasetDelete", {"id": dataset}))["__typename"] == "GenDatasetDeletePayload"
    assert (await two.there.ask(ROWS, {"dataset": dataset})).data["gen"]["dataset"] is None, "at once"
    assert (await two.do("genDataSourceDelete", {"id": source}))["__typename"] == "GenDataSourceDeletePayload"
    gone = "query Gone($id: ID!) { node(id: $id) { id } }"
    answers = await asyncio.gather(*(asked.ask(gone, {"id": source}) for asked in (two.here, two.there)))
    assert [answer.data["node"] for answer in answers] == [None, None]
    await until(lambda: proxy.connections == 0, timeout_s=20)  # both have closed what they had open
