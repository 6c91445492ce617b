"""Remote tables through the schema: what one document costs each store."""

from typing import Any
from uuid import UUID

import pytest

from gateway.settings import Settings
from resolvers.gen import data_sources, datasets
from resolvers.gen.data_sources import DataSourceCreate
from resolvers.gen.datasets import DatasetCreate
from schema.build import build
from tests.clickhouse_source import source_settings
from tests.resolvers.gen.conftest import As, GenStores

DATASETS = 30


@pytest.fixture
async def source(as_: As, settings: Settings) -> UUID:
    """Every ClickHouse has `system.one`; it estimates no rows, so that each list asks again."""
    given = source_settings(settings, "system")
    made = await data_sources.create_data_source(as_("admin"), DataSourceCreate("system", "clickhouse", given))
    for i in range(DATASETS):
        await datasets.create_dataset(as_("admin"), DatasetCreate(made.id, f"d{i:02}", table_names=("one",)))
    return made.id


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ('table(name: "one") { rowCount }', {"table": {"rowCount": None}}),
        ('table(name: "one") { columns { name } }', {"table": {"columns": [{"name": "dummy"}]}}),
        ("tables { name rowCount }", {"tables": [{"name": "one", "rowCount": None}]}),
    ],
)
async def test_many_datasets_cost_the_statements_of_one(
    selection: str, expected: dict[str, Any], as_: As, source: UUID, stores: GenStores
) -> None:
    costs = []
    for first in (1, DATASETS):
        stores.warehouses.forget(source)
        context = as_("admin")
        document = f"{{ gen {{ datasets(first: {first}) {{ nodes {{ {selection} }} }} }} }}"
        answer = await build().execute(document, context_value=context)
        assert answer.errors is None
        assert answer.data == {"gen": {"datasets": {"nodes": [expected] * first}}}
        costs.append({store: usage.statements for store, usage in context.ledger.stores.items() if store != "openfga"})
    assert costs[0] == costs[1]
    assert costs[0]["axion_gen"] == 3  # the list, the datasets' places, the data source
