"""The flights of New York in the test's ClickHouse, as a dataset of the test's world, with dashboards over it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import pyarrow as pa

from deploy.local.samples.flights import NewYorkFlights
from gateway.http.documents import Documents
from gateway.http.execution import execute
from gateway.settings import Limits
from loaders.clickhouse.client import ClickHouse
from loaders.encode.node_id import encode_node_id
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.tuples import RelationTuple
from loaders.warehouses.data_source_rows import store_name
from resolvers.gen import data_sources, datasets
from resolvers.gen.data_sources import DataSourceCreate
from resolvers.gen.datasets import DatasetCreate
from schema.build import build, graphql_schema
from tests.resolvers.gen.conftest import GenStores
from tests.schema.gen.world import World

DATABASE = "axion_new_york"
_TYPES = {
    pa.int32(): "Int32",
    pa.float64(): "Float64",
    pa.string(): "String",
    pa.timestamp("s", "UTC"): "DateTime('UTC')",
}


async def load(client: ClickHouse, sample: NewYorkFlights) -> None:
    await client.command(f"DROP DATABASE IF EXISTS {DATABASE}", ledger=Ledger())
    await client.command(f"CREATE DATABASE {DATABASE}", ledger=Ledger())
    for name in ("flights", "airlines", "planes", "weather"):
        rows: pa.Table = getattr(sample, name)
        columns = ", ".join(f"{field.name} Nullable({_TYPES[field.type]})" for field in rows.schema)
        table = f"{DATABASE}.{name}"
        await client.command(f"CREATE TABLE {table} ({columns}) ENGINE = MergeTree ORDER BY ()", ledger=Ledger())
        await client.insert_arrow(table, rows, ledger=Ledger())


@dataclass(frozen=True, slots=True)
class Answer:
    data: Any
    errors: list[dict[str, Any]]
    ledger: Ledger

    def statements(self, store: str) -> int:
        return self.ledger.stores[store].statements if store in self.ledger.stores else 0


async def asked(world: World, user: str, document: str, variables: Mapping[str, Any] | None = None) -> Answer:
    """As `World.ask`, errors and costs too."""
    context = world.as_(user)
    schema = graphql_schema(build())
    operation = Documents(schema, Limits()).prepare(document, None)
    found: Any = execute(schema, operation, world.with_ids(variables or {}), context)
    if hasattr(found, "__await__"):
        found = await found
    errors = [
        {"path": error.path, **getattr(error.original_error, "extensions", {}), "message": error.message}
        for error in found.errors or ()
    ]
    return Answer(orjson.loads(orjson.dumps(found.data)), errors, context.ledger)


async def add_source(
    world: World, stores: GenStores, *, source: str, dataset: str, settings: Mapping[str, object], connector: str
) -> World:
    """The world with one more data source and dataset, which Ann and Bob see as they see `flights`."""
    made = await data_sources.create_data_source(world.as_("admin"), DataSourceCreate(source, connector, settings))
    row = await datasets.create_dataset(world.as_("admin"), DatasetCreate(made.id, dataset))
    await stores.openfga.write([RelationTuple(names.role(7), "assigned_role", names.dataset(row.id))], ledger=Ledger())
    ids = {**world.ids, dataset: encode_node_id("GenDataset", [str(row.id)])}
    return World(world.as_, ids, {**world.stores, source: store_name(made.id)})


async def made(world: World, type_: str, given: Mapping[str, Any], *, user: str = "ann") -> str:
    """The id of a new row."""
    noun = type_[3].lower() + type_[4:]
    done = await world.do(user, f"gen{type_[3:]}Create", given, f"{noun} {{ id }}")
    assert done["__typename"] == f"{type_}CreatePayload", done
    id_: str = done[noun]["id"]
    return id_
