"""Spark's Thrift server in the place of Impala."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from impala import dbapi

from deploy.local.servers import impala as impala_server
from loaders.columnar.statement import Statement
from loaders.description import ColumnType, Kind
from loaders.read import AggregateFunction
from loaders.warehouses.base import Warehouse
from tests.conformance.subject import Subject, address_of


class ImpalaSubject(Subject):
    """Spark in Impala's place: `space` and `other_space` are databases, tables are files of this machine."""

    connector = "impala"
    odd_name = "odd_name_1"
    odd_columns = ("a_b", "c1", "select")
    mangled = frozenset({"words"})  # Spark does not escape quotes in a list
    kinds = {
        "unsigned": ColumnType(Kind.NUMERIC),
        "numbers": ColumnType(Kind.JSON),
        "words": ColumnType(Kind.JSON),
    }
    without = frozenset({AggregateFunction.PERCENTILE})
    estimates = False

    def __init__(self, at: impala_server.Address) -> None:
        self._at = at
        self._files = tempfile.TemporaryDirectory()
        self._connection = dbapi.connect(at.host, at.port, auth_mechanism="PLAIN", user=at.user, password=at.password)
        self._cursor = self._connection.cursor()

    async def prepare(self) -> None:
        for space in (self.space, self.other_space):
            self._run(f"DROP DATABASE IF EXISTS {space} CASCADE")
            self._run(f"CREATE DATABASE {space}")

    async def load(self, name: str, rows: pa.Table, *, space: str | None = None) -> None:
        folder = Path(tempfile.mkdtemp(prefix=name, dir=self._files.name))
        size = max(-(-rows.num_rows // 8), 1)
        for place in range(0, max(rows.num_rows, 1), size):
            pq.write_table(rows.slice(place, size), folder / f"part-{place}.parquet")
        self._run(f"CREATE TABLE {space or self.space}.{name} USING PARQUET LOCATION '{folder}'")

    async def drop(self, name: str) -> None:
        self._run(f"DROP TABLE {self.space}.{name}")

    def settings(
        self, *, secret: str | None = None, user: str | None = None, url: str | None = None
    ) -> dict[str, object]:
        host, port = address_of(url) if url else self.address
        return {
            "host": host,
            "port": port,
            "database": self.space,
            "username": user or self._at.user,
            "password": secret or self._at.password,
        }

    @property
    def address(self) -> tuple[str, int]:
        return self._at.host, self._at.port

    @property
    def missing(self) -> dict[str, object]:
        return {"database": "axion_no_such_database"}

    def endless(self, table: str) -> Statement:
        """It sleeps, as Spark's own loops do not look whether they were cancelled; in one task, so that others run."""
        slept = "reflect('java.lang.Thread', 'sleep', t.id * 0 + 10)"
        source = f"(SELECT /*+ COALESCE(1) */ {slept} AS x FROM {self.space}.{table} AS t)"
        return Statement(f"SELECT MAX(s.x) AS c0 FROM {source} AS s", (), ())

    async def running(self, warehouse: Warehouse) -> int:
        return max(int(await asyncio.to_thread(self._one, "SELECT reflect('axion.Running', 'count')")), 0)

    async def close(self) -> None:
        self._cursor.close()
        self._connection.close()
        self._files.cleanup()

    def _run(self, sql: str) -> None:
        self._cursor.execute(sql)

    def _one(self, sql: str) -> Any:
        self._cursor.execute(sql)
        return self._cursor.fetchall()[0][0]
