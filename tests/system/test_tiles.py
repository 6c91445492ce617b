"""A real PMTiles bundle through the gateway: read back by the format's own reader, under the table's guard."""

import asyncio
import gzip
import io
import secrets
from collections.abc import AsyncIterator
from urllib.request import Request, urlopen
from uuid import UUID

import pytest
from pmtiles.reader import Reader
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer
from yarl import URL as Address

from gateway.settings import Settings
from gateway.stores import open_stores
from resolvers.gen.tiles import bundle_key, bundle_path
from tests.system.bundles import URL, Bundle, refreshed, stored_bundle
from tests.system.client import Client
from tests.system.mutations import deleted, done
from tests.system.sample import flights_dataset
from tests.system.stores import Direct
from tests.waiting import until

TILES = {
    (z, x, y): gzip.compress(secrets.token_bytes(4_000), mtime=0)
    for z in range(5)
    for x in range(2**z)
    for y in range(2**z)
}


def written() -> bytes:
    made = io.BytesIO()
    writer = Writer(made)
    for (z, x, y), tile in sorted(TILES.items(), key=lambda item: zxy_to_tileid(*item[0])):
        writer.write_tile(zxy_to_tileid(z, x, y), tile)
    bounds = {"min_lon_e7": -10, "min_lat_e7": -10, "max_lon_e7": 10, "max_lat_e7": 10}
    header = {"tile_type": TileType.MVT, "tile_compression": Compression.GZIP, "min_zoom": 0, "max_zoom": 4, **bounds}
    writer.finalize({**header, "center_zoom": 0, "center_lon_e7": 0, "center_lat_e7": 0}, {"name": "tiles"})
    return made.getvalue()


@pytest.fixture(scope="module")
async def bundle(client: Client, settings: Settings) -> AsyncIterator[Bundle]:
    async with stored_bundle(client, settings, written()) as bundle:
        yield bundle


async def test_the_format_s_own_reader_reads_it(client: Client, bundle: Bundle) -> None:
    headers = client.headers("analyst")

    def get_bytes(offset: int, length: int) -> bytes:
        asked = Request(bundle.url, headers={**headers, "range": f"bytes={offset}-{offset + length - 1}"})
        with urlopen(asked) as response:
            assert response.status == 206
            body: bytes = response.read()
            return body

    def read() -> None:
        reader = Reader(get_bytes)
        assert reader.metadata()["name"] == "tiles"
        for (z, x, y), tile in list(TILES.items())[::40]:
            assert reader.get(z, x, y) == tile
        assert reader.get(7, 0, 0) is None

    await asyncio.to_thread(read)


async def test_ranges_and_versions(client: Client, bundle: Bundle) -> None:
    size = len(bundle.content)
    assert size > 1_050_000  # so that the range is of two chunks
    own = client.headers("analyst")
    async with client.http.get(bundle.url, headers={**own, "range": "bytes=5-1050000"}) as part:
        assert (part.status, await part.read()) == (206, bundle.content[5:1_050_001])
        assert part.headers["content-range"] == f"bytes 5-1050000/{size}"
        etag = part.headers["etag"]
        assert (part.headers["cache-control"], part.content_type) == ("private, no-cache", "application/vnd.pmtiles")
    async with client.http.get(bundle.url, headers={**own, "range": "bytes=-7"}) as end:
        assert (end.status, await end.read()) == (206, bundle.content[-7:])
    async with client.http.get(bundle.url, headers=own) as whole:
        assert (whole.status, await whole.read()) == (200, bundle.content)
    async with client.http.head(bundle.url, headers=own) as head:
        assert (head.status, head.headers["content-length"], head.headers["accept-ranges"]) == (200, str(size), "bytes")
    async with client.http.get(bundle.url, headers={**own, "if-none-match": etag}) as same:
        assert (same.status, await same.read()) == (304, b"")
    async with client.http.get(bundle.url, headers={**own, "range": "bytes=0-1", "if-range": '"other"'}) as other:
        assert other.status == 200
    for asked in (f"bytes={size}-", "bytes=0-1,5-6"):
        async with client.http.get(bundle.url, headers={**own, "range": asked}) as beyond:
            assert (beyond.status, beyond.headers["content-range"]) == (416, f"bytes */{size}")


async def test_hidden_is_absent_and_audited(client: Client, bundle: Bundle, direct: Direct) -> None:
    answers = []
    for url in (bundle.url, bundle.url.replace("airports", "no_such_table"), client.url + "/tiles/a/b/c.pmtiles"):
        async with client.http.get(url, headers=client.headers("stranger")) as answer:
            answers.append((answer.status, (await answer.json())["errors"][0]["extensions"]["code"]))
    assert answers == [(404, "NOT_FOUND")] * 3
    async with client.http.head(bundle.url, headers=client.headers("analyst")) as known:
        etag = known.headers["etag"]
    for more in ({"range": "bytes=0-1"}, {"range": f"bytes={len(bundle.content)}-"}, {"if-none-match": etag}):
        async with client.http.get(bundle.url, headers={**client.headers("stranger"), **more}) as answer:
            assert (answer.status, answer.headers.get("etag"), answer.headers.get("content-range")) == (404, None, None)
    async with client.http.head(bundle.url, headers=client.headers("stranger")) as answer:
        assert (answer.status, answer.headers.get("etag")) == (404, None)
    async with client.http.get(bundle.url) as nobody:
        assert (nobody.status, nobody.headers["www-authenticate"]) == (401, 'Bearer realm="axion"')
    async with client.http.get(bundle.url, headers={"authorization": "Bearer x.y.z"}) as forged:
        assert forged.status == 401
    async with client.http.post(bundle.url, headers=client.headers("analyst")) as posted:
        assert posted.status == 405

    async def noted() -> bool:
        sql = "SELECT 1 AS found FROM audit_outbox WHERE resource LIKE 'tiles:table:%airports'"
        return bool(await direct.postgres("axion_sense", sql)) or bool(
            await direct.clickhouse("SELECT 1 FROM axion_sense.audit_log WHERE resource LIKE 'tiles:table:%airports'")
        )

    await until(noted)


@pytest.mark.parametrize("table", ["..", "a//b", "../../x"])
async def test_a_table_whose_name_is_no_folder_has_no_bundle(client: Client, table: str) -> None:
    dataset = await flights_dataset(client, "rowId")
    named = {"datasetId": dataset["id"], "tableName": table, "name": secrets.token_hex(4), "geometryColumn": "lon"}
    made = (await done(client, "genDatasetMapCreate", "datasetMap { id rowId url }", **named))["datasetMap"]
    none = {"__typename": "GenDatasetMapRefreshPayload", "datasetMap": {"sizeBytes": None}}
    assert await refreshed(client, made["id"]) == none
    path = bundle_path(UUID(dataset["rowId"]), table, UUID(made["rowId"]))
    async with client.http.get(Address(client.url + path, encoded=True), headers=client.headers("admin")) as answer:
        assert answer.status == 404
    await deleted(client, "GenDatasetMap", made["id"])


async def test_what_is_noted_of_a_bundle(client: Client, settings: Settings) -> None:
    """None yet, no bundle, gone again: and only for who administers the dataset."""
    dataset = await flights_dataset(client, "rowId")
    named = {"datasetId": dataset["id"], "tableName": "airports", "name": secrets.token_hex(4), "geometryColumn": "lon"}
    made = (await done(client, "genDatasetMapCreate", "datasetMap { id rowId url }", **named))["datasetMap"]
    key = bundle_key(UUID(dataset["rowId"]), "airports", UUID(made["rowId"]))
    none = {"__typename": "GenDatasetMapRefreshPayload", "datasetMap": {"sizeBytes": None}}
    async with open_stores(settings) as stores:
        assert await refreshed(client, made["id"]) == none
        for wrong in (b"", b"PMTiles\x02 and more"):
            await stores.objects.put(key, wrong)
            assert (await refreshed(client, made["id"]))["code"] == "CONFLICT"
        assert (await client.ask(URL, {"id": made["id"]})).data["node"]["url"] is None
        await stores.objects.put(key, b"PMTiles\x03 and more")
        assert (await refreshed(client, made["id"], user="analyst"))["code"] == "FORBIDDEN"
        assert (await refreshed(client, made["id"], user="stranger"))["code"] == "NOT_FOUND"
        assert (await refreshed(client, made["id"]))["datasetMap"]["sizeBytes"] == "17"
        assert (await client.ask(URL, {"id": made["id"]})).data["node"]["url"] is not None
        await stores.objects.delete(key)
        assert await refreshed(client, made["id"]) == none
    await deleted(client, "GenDatasetMap", made["id"])
