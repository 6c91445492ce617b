"""A ClickHouse table of five million rows behind a data source of its own: slow to profile, long to stream."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from clickhouse_connect.driver.asyncclient import AsyncClient

from gateway.settings import Settings
from tests.clickhouse_source import source_settings
from tests.system.client import Client
from tests.system.frail import add_source, remove_sources
from tests.system.stores import Direct

NAME = "system-big"
DATABASE = "axion_system"
ROWS = 5_000_000


@asynccontextmanager
async def big_table(client: Client, settings: Settings, clickhouse: AsyncClient, direct: Direct) -> AsyncIterator[str]:
    """The global id of the dataset whose table is `big`; at the end all of it is gone."""
    await clickhouse.command(f"DROP DATABASE IF EXISTS {DATABASE}")
    await clickhouse.command(f"CREATE DATABASE {DATABASE}")
    await clickhouse.command(
        f"CREATE TABLE {DATABASE}.big ENGINE = MergeTree ORDER BY id AS"
        " SELECT number AS id, hex(cityHash64(number)) AS a, hex(cityHash64(number, 1)) AS b,"
        f" cityHash64(number, 2) / 3 AS c, toDateTime64(number, 3, 'UTC') AS at FROM numbers({ROWS})"
    )
    await remove_sources(direct, [NAME])
    try:
        yield await add_source(client, NAME, "clickhouse", source_settings(settings, DATABASE))
    finally:
        await remove_sources(direct, [NAME])
        await clickhouse.command(f"DROP DATABASE {DATABASE}")
