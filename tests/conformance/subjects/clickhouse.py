"""ClickHouse, over its HTTP interface."""

import pyarrow as pa

from loaders.clickhouse.client import ClickHouse
from loaders.columnar.statement import Statement
from loaders.ledger import Ledger
from loaders.warehouses.base import Warehouse
from tests.conformance.subject import STORE, Subject, address_of

_CLICKHOUSE_TYPES = {
    pa.bool_(): "Bool",
    pa.int32(): "Int32",
    pa.int64(): "Int64",
    pa.uint64(): "UInt64",
    pa.float64(): "Float64",
    pa.string(): "String",
    pa.decimal128(20, 4): "Decimal(20, 4)",
    pa.decimal128(18, 4): "Decimal(18, 4)",
    pa.date32(): "Date32",
    pa.timestamp("us", "UTC"): "DateTime64(6, 'UTC')",
}


class ClickHouseSubject(Subject):
    connector = "clickhouse"

    def __init__(self, url: str, password: str) -> None:
        self._url = url
        self._password = password
        self._client = ClickHouse.open(url, "default", password, None, store=STORE)

    async def prepare(self) -> None:
        for space in (self.space, self.other_space):
            await self._client.command(f"DROP DATABASE IF EXISTS {space}", ledger=Ledger())
            await self._client.command(f"CREATE DATABASE {space}", ledger=Ledger())

    async def load(self, name: str, rows: pa.Table, *, space: str | None = None) -> None:
        columns = ", ".join(f"{_quoted(field.name)} {self._type(field.type)}" for field in rows.schema)
        table = f"{space or self.space}.{_quoted(name)}"
        await self._client.command(f"CREATE TABLE {table} ({columns}) ENGINE = MergeTree ORDER BY ()", ledger=Ledger())
        if rows.num_rows:
            await self._client.insert_arrow(table, rows, ledger=Ledger())

    async def drop(self, name: str) -> None:
        await self._client.command(f"DROP TABLE {self.space}.{_quoted(name)} SYNC", ledger=Ledger())

    def settings(
        self, *, secret: str | None = None, user: str | None = None, url: str | None = None
    ) -> dict[str, object]:
        return {
            "url": url or self._url,
            "database": self.space,
            "username": user or "default",
            "password": secret or self._password,
        }

    @property
    def address(self) -> tuple[str, int]:
        return address_of(self._url)

    @property
    def missing(self) -> dict[str, object]:
        return {"database": "axion_no_such_database"}

    def endless(self, table: str) -> Statement:
        source = f"{self.space}.{_quoted(table)}"
        sql = f"SELECT t.id * u.id AS c0 FROM {source} AS t CROSS JOIN {source} AS u WHERE cityHash64(t.id, u.id) = 0"
        return Statement(sql, (), ())

    async def running(self, warehouse: Warehouse) -> int:
        rows = await self._client.query(
            "SELECT countIf(query LIKE '%CROSS JOIN%' AND query NOT LIKE '%countIf%') AS n FROM system.processes",
            ledger=Ledger(),
        )
        return int(rows.column("n")[0].as_py())

    async def close(self) -> None:
        await self._client.close()

    def _type(self, arrow: pa.DataType) -> str:
        if pa.types.is_list(arrow):
            return f"Array({_CLICKHOUSE_TYPES[arrow.value_type]})"
        return f"Nullable({_CLICKHOUSE_TYPES[arrow]})"


def _quoted(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
