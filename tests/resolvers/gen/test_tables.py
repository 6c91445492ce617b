import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import pytest

from gateway.settings import Settings
from loaders.clickhouse.client import ClickHouse
from loaders.errors import StoreUnavailable
from loaders.ledger import Ledger
from loaders.openfga.tuples import RelationTuple
from loaders.tables.uuid7 import uuid7
from loaders.warehouses.data_source_rows import store_name
from resolvers.gen import data_sources, datasets, tables
from resolvers.gen.data_sources import DataSourceCreate
from resolvers.gen.datasets import DatasetCreate
from tests.clickhouse_source import source_settings
from tests.resolvers.gen.conftest import As, GenStores

DATABASE = "axion_test_tables"


@pytest.fixture(scope="module")
async def clickhouse(clickhouse_client: ClickHouse) -> AsyncIterator[ClickHouse]:
    """With a database of three tables."""
    await clickhouse_client.command(f"DROP DATABASE IF EXISTS {DATABASE}", ledger=Ledger())
    await clickhouse_client.command(f"CREATE DATABASE {DATABASE}", ledger=Ledger())
    for name in ("airlines", "flights", "weather"):
        await clickhouse_client.command(
            f"CREATE TABLE {DATABASE}.{name} (id Int32) ENGINE = MergeTree ORDER BY id", ledger=Ledger()
        )
    yield clickhouse_client
    await clickhouse_client.command(f"DROP DATABASE {DATABASE}", ledger=Ledger())


@pytest.fixture
async def source(as_: As, clickhouse: ClickHouse, settings: Settings) -> UUID:
    given = source_settings(settings, DATABASE)
    made = await data_sources.create_data_source(as_("admin"), DataSourceCreate("tables", "clickhouse", given))
    return made.id


@pytest.fixture
async def dataset(as_: As, source: UUID) -> UUID:
    return (await datasets.create_dataset(as_("admin"), DatasetCreate(source, "all"))).id


async def grant(stores: GenStores, who: str, flag: str, object_: str) -> None:
    """Through one role of the person's own, as the model wants it."""
    role = f"role:{who}"
    tuples = [
        RelationTuple("user:*", flag, role),
        RelationTuple(f"user:{who}", "assignee", role),
        RelationTuple(role, "assigned_role", object_),
    ]
    await stores.openfga.write(tuples, ledger=Ledger())


async def listed(as_: As, who: str, dataset: UUID) -> list[str]:
    return [table.name for table in await tables.list_tables(as_(who), dataset)]


async def test_an_admin_sees_all_tables_by_name(as_: As, dataset: UUID) -> None:
    assert await listed(as_, "admin", dataset) == ["airlines", "flights", "weather"]


async def test_the_first_listing_writes_the_parents_and_no_other_does(
    as_: As, dataset: UUID, stores: GenStores
) -> None:
    await listed(as_, "stranger", dataset)
    found = stores.openfga.read(object_=f"table:{dataset}/flights", relation="parent", ledger=Ledger())
    assert [tuple_.user async for tuple_ in found] == [f"dataset:{dataset}"]
    context = as_("admin")
    await tables.list_tables(context, dataset)
    assert context.ledger.stores["openfga"].statements == 1


@pytest.mark.parametrize("who", ["", "stranger"])
async def test_others_see_none(who: str, as_: As, dataset: UUID) -> None:
    assert await listed(as_, who, dataset) == []
    assert await tables.describe_table(as_(who), dataset, "flights") is None
    assert await tables.estimate_table(as_(who), dataset, "flights") is None


async def test_one_table_may_be_granted_alone(as_: As, dataset: UUID, stores: GenStores) -> None:
    await grant(stores, "analyst", "has_view_table", f"table:{dataset}/flights")
    assert await listed(as_, "analyst", dataset) == ["flights"]
    assert await tables.describe_table(as_("analyst"), dataset, "flights") is not None
    assert await tables.describe_table(as_("analyst"), dataset, "weather") is None


async def test_a_dataset_may_be_granted_before_it_was_ever_listed(as_: As, dataset: UUID, stores: GenStores) -> None:
    await grant(stores, "analyst", "has_view_table", f"dataset:{dataset}")
    table = await tables.describe_table(as_("analyst"), dataset, "flights")
    assert table is not None
    assert [column.name for column in table.columns] == ["id"]
    assert table.store in stores.warehouses.opened
    assert await listed(as_, "analyst", dataset) == ["airlines", "flights", "weather"]


async def test_a_dataset_shows_only_the_tables_it_names(as_: As, source: UUID) -> None:
    made = await datasets.create_dataset(
        as_("admin"), DatasetCreate(source, "some", table_names=("weather", "not_yet_there"))
    )
    assert await listed(as_, "admin", made.id) == ["weather"]
    assert await tables.describe_table(as_("admin"), made.id, "flights") is None
    assert await tables.describe_table(as_("admin"), made.id, "not_yet_there") is None


async def test_a_dataset_may_be_of_another_schema(as_: As, source: UUID) -> None:
    made = await datasets.create_dataset(
        as_("admin"), DatasetCreate(source, "system", remote_schema="system", table_names=("one",))
    )
    assert await listed(as_, "admin", made.id) == ["one"]


async def test_absent_ones(as_: As, dataset: UUID) -> None:
    assert await listed(as_, "admin", uuid7()) == []
    assert await tables.describe_table(as_("admin"), uuid7(), "flights") is None
    assert await tables.describe_table(as_("admin"), dataset, "nothing") is None
    assert await tables.estimate_table(as_("admin"), dataset, "nothing") is None


async def test_estimates(as_: As, dataset: UUID) -> None:
    estimate = await tables.estimate_table(as_("admin"), dataset, "flights")
    assert estimate is not None
    assert estimate.rows == 0


async def test_a_server_that_is_down_is_named(as_: As) -> None:
    down = DataSourceCreate("down", "clickhouse", {"url": "http://127.0.0.1:1"})
    source = await data_sources.create_data_source(as_("admin"), down)
    made = await datasets.create_dataset(as_("admin"), DatasetCreate(source.id, "d"))
    with pytest.raises(StoreUnavailable, match=store_name(source.id)):
        await tables.list_tables(as_("admin"), made.id)


async def many(as_: As, sources: Sequence[UUID], count: int) -> list[UUID]:
    """Datasets of all tables, the sources taking turns."""
    admin = as_("admin")
    return [
        (await datasets.create_dataset(admin, DatasetCreate(sources[i % len(sources)], f"d{i}"))).id
        for i in range(count)
    ]


async def ask(as_: As, who: str, ids: Sequence[UUID]) -> dict[str, int]:
    """What one request for everything about one table of each dataset, and for their lists, sends to each store."""
    context = as_(who)
    described = await asyncio.gather(*(tables.describe_table(context, id_, "flights") for id_ in ids))
    estimated = await asyncio.gather(*(tables.estimate_table(context, id_, "flights") for id_ in ids))
    found = await asyncio.gather(*(tables.list_tables(context, id_) for id_ in ids))
    assert None not in described
    assert None not in estimated
    assert [[table.name for table in listed] for listed in found] == [["airlines", "flights", "weather"]] * len(ids)
    return {store: usage.statements for store, usage in context.ledger.stores.items() if store != "openfga"}


@pytest.mark.parametrize("who", ["admin", "analyst"])
async def test_thirty_datasets_cost_the_statements_of_one(as_: As, source: UUID, stores: GenStores, who: str) -> None:
    await grant(stores, "analyst", "has_view_table", "datasource:tables")
    ids = await many(as_, [source], 30)
    costs = []
    for asked in (ids[:1], ids):
        stores.warehouses.forget(source)
        costs.append(await ask(as_, who, asked))
    assert costs[0] == costs[1]
    assert costs[0]["axion_gen"] == 2  # the datasets, the data source


async def test_the_sources_of_many_datasets_are_read_in_one_statement(
    as_: As, source: UUID, settings: Settings
) -> None:
    given = source_settings(settings, DATABASE)
    made = [
        await data_sources.create_data_source(as_("admin"), DataSourceCreate(f"s{i}", "clickhouse", given))
        for i in range(9)
    ]
    ids = await many(as_, [source, *(row.id for row in made)], 30)
    cost = await ask(as_, "admin", ids)
    assert cost.pop("axion_gen") == 2
    assert len(cost) == 10
    assert len(set(cost.values())) == 1


async def test_a_source_that_is_down_fails_its_datasets_and_holds_up_no_other(as_: As, source: UUID) -> None:
    broken = DataSourceCreate("down", "clickhouse", {"url": "http://127.0.0.1:1"})
    down = await data_sources.create_data_source(as_("admin"), broken)
    ids = await many(as_, [source, down.id], 6)
    context = as_("admin")
    answers = await asyncio.gather(*(tables.list_tables(context, id_) for id_ in ids), return_exceptions=True)
    assert [type(answer) for answer in answers[1::2]] == [StoreUnavailable] * 3
    assert [len(answer) for answer in answers[::2] if not isinstance(answer, BaseException)] == [3] * 3


async def test_one_who_gives_up_does_not_stop_the_others(as_: As, dataset: UUID) -> None:
    """Wherever it waits: each turn of the loop is tried until the answer is there first."""
    for turns in range(1_000):
        context = as_("admin")
        first, second = (asyncio.create_task(tables.list_tables(context, dataset)) for _ in range(2))
        for _ in range(turns):
            await asyncio.sleep(0)
        first.cancel()
        assert len(await second) == 3
        if not first.cancelled():
            break
    assert turns > 3
