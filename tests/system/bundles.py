"""Tile bundles in the gateway's bucket, noted for a table of the sample data."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gateway.settings import Settings
from gateway.stores import open_stores
from tests.system.client import Client
from tests.system.mutations import deleted, done
from tests.system.sample import flights_dataset

REFRESH = """
mutation Refresh($id: ID!) {
  genDatasetMapRefresh(input: {id: $id}) {
    __typename ... on GenDatasetMapRefreshPayload { datasetMap { sizeBytes } } ... on Error { message code }
  }
}
"""
URL = "query Url($id: ID!) { node(id: $id) { ... on GenDatasetMap { url sizeBytes builtAt } } }"


@dataclass(frozen=True, slots=True)
class Bundle:
    """`key` is that of its object, `url` the gateway's."""

    id: str
    key: str
    url: str
    content: bytes


async def refreshed(client: Client, id_: str, *, user: str = "admin") -> Any:
    return (await client.ask(REFRESH, {"id": id_}, user=user)).data["genDatasetMapRefresh"]


@asynccontextmanager
async def stored_bundle(client: Client, settings: Settings, content: bytes) -> AsyncIterator[Bundle]:
    """Of `airports`, which the analyst may see."""
    dataset = await flights_dataset(client, "rowId")
    named = {"datasetId": dataset["id"], "tableName": "airports", "name": secrets.token_hex(4), "geometryColumn": "lon"}
    made = (await done(client, "genDatasetMapCreate", "datasetMap { id rowId url }", **named))["datasetMap"]
    assert made["url"] is None
    key = f"tiles/{UUID(dataset['rowId']).hex}/airports/{UUID(made['rowId']).hex}.pmtiles"  # as the reference has it
    async with open_stores(settings) as stores:
        await stores.objects.put(key, content)
        noted = {"__typename": "GenDatasetMapRefreshPayload", "datasetMap": {"sizeBytes": str(len(content))}}
        assert await refreshed(client, made["id"]) == noted
        seen = (await client.ask(URL, {"id": made["id"]}, user="analyst")).data["node"]
        assert int(seen["sizeBytes"]) == len(content)
        yield Bundle(made["id"], key, client.url + seen["url"], content)
        await stores.objects.delete(key)
    await deleted(client, "GenDatasetMap", made["id"])
