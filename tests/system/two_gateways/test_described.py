"""What describes a dataset, written through one gateway, counts in the other at once: it is read with each document."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.settings import Settings
from tests.clickhouse_source import source_settings
from tests.system.frail import add_source, remove_sources
from tests.system.stores import Direct
from tests.system.two_gateways.conftest import Two

NAME = "system-two-described"
SEEN = """
query Seen($dataset: ID!) { gen { dataset(id: $dataset) {
  name favorite { createdAt }
  table(name: "airlines") { columns { name } rows(first: 1) { nodes } }
} } }
"""


@pytest.fixture
async def dataset(two: Two, settings: Settings, direct: Direct) -> AsyncIterator[str]:
    """The global id of one that nothing describes."""
    await remove_sources(direct, [NAME])
    yield await add_source(two.here, NAME, "clickhouse", source_settings(settings, "nycflights13"))
    await remove_sources(direct, [NAME])


async def seen(two: Two, dataset: str) -> Any:
    return (await two.there.ask(SEEN, {"dataset": dataset})).data["gen"]["dataset"]


async def made(two: Two, type_: str, **values: object) -> str:
    shown = f"made: {type_[3].lower() + type_[4:]} {{ id }}"
    done = await two.do(f"gen{type_[3:]}Create", values, shown=shown)
    return str(done["made"]["id"])


async def test_hidden_columns(two: Two, dataset: str) -> None:
    assert (await seen(two, dataset))["table"]["columns"] == [{"name": "carrier"}, {"name": "name"}]
    of_column = {"datasetId": dataset, "tableName": "airlines", "columnName": "name"}
    override = await made(two, "GenCurationOverride", **of_column, isHidden=True)
    table = (await seen(two, dataset))["table"]
    assert table == {"columns": [{"name": "carrier"}], "rows": {"nodes": [{"carrier": "9E"}]}}
    await two.do("genCurationOverrideUpdate", {"id": override, "patch": {"isHidden": False}})
    assert len((await seen(two, dataset))["table"]["columns"]) == 2
    await two.do("genCurationOverrideUpdate", {"id": override, "patch": {"columnName": None, "isHidden": True}})
    assert (await seen(two, dataset))["table"] is None
    await two.do("genCurationOverrideDelete", {"id": override})
    assert (await seen(two, dataset))["table"] is not None


async def test_required_filters(two: Two, dataset: str) -> None:
    await seen(two, dataset)
    asks = {"datasetId": dataset, "tableName": "airlines", "columnName": "carrier", "kind": "TEXT", "isRequired": True}
    filter_ = await made(two, "GenTableFilter", **asks)
    refused = await two.there.ask(SEEN, {"dataset": dataset})
    assert refused.codes == ["FILTER_REQUIRED"]
    await two.do("genTableFilterDelete", {"id": filter_})
    assert (await seen(two, dataset))["table"]["rows"]["nodes"]


async def test_favorites_and_names(two: Two, dataset: str) -> None:
    assert (await seen(two, dataset))["favorite"] is None
    await two.do("genFavoriteDatasetAdd", {"datasetId": dataset})
    await two.do("genDatasetUpdate", {"id": dataset, "patch": {"name": f"{NAME} renamed"}})
    found = await seen(two, dataset)
    assert (found["name"], found["favorite"] is not None) == (f"{NAME} renamed", True)
    await two.do("genFavoriteDatasetRemove", {"datasetId": dataset})
    await two.do("genDatasetUpdate", {"id": dataset, "patch": {"name": NAME}})
    assert (await seen(two, dataset))["favorite"] is None
