"""The stores themselves, asked without the gateway: what its answers are compared with."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import asyncpg
import pyarrow as pa
import pyarrow.dataset as ds
from clickhouse_connect.driver.asyncclient import AsyncClient
from pyarrow.fs import S3FileSystem
from sqlalchemy import make_url

from gateway.settings import Settings

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


class Direct:
    """Postgres as its superuser, ClickHouse as the gateway's user, S3 by pyarrow."""

    def __init__(self, settings: Settings, admin_url: str, clickhouse: AsyncClient) -> None:
        self._settings, self._admin_url = settings, make_url(admin_url)
        self._clickhouse = clickhouse
        self._connections: dict[str, Connection] = {}

    async def close(self) -> None:
        for connection in self._connections.values():
            await connection.close()

    async def postgres(self, database: str, sql: str, *parameters: object) -> list[dict[str, Any]]:
        """Numbers, texts, times and UUIDs as asyncpg has them."""
        if database not in self._connections:
            url = self._admin_url.set(database=database).render_as_string(hide_password=False)
            self._connections[database] = await asyncpg.connect(url)
        return [dict(row) for row in await self._connections[database].fetch(sql, *parameters)]

    async def clickhouse(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[dict[str, Any]]:
        answer = await self._clickhouse.query(sql, dict(parameters or {}))
        return list(answer.named_results())

    async def clickhouse_arrow(self, sql: str) -> pa.Table:
        return await self._clickhouse.query_arrow(sql)

    def parquet(self, path: str) -> ds.Dataset:
        """The files under `bucket/folder`, whose folders `month=1` are a column."""
        objects = self._settings.objects
        s3 = S3FileSystem(
            access_key=objects.access_key.get_secret_value(),
            secret_key=objects.secret_key.get_secret_value(),
            endpoint_override=objects.endpoint,
            region=objects.region,
        )
        return ds.dataset(path, filesystem=s3, partitioning="hive")
