"""A Flight SQL server over DuckDB."""

import tempfile

import adbc_driver_flightsql.dbapi as flight_sql
import pyarrow as pa
import pyarrow.parquet as pq
from adbc_driver_flightsql import DatabaseOptions

from deploy.local.servers import flight_sql as flight_sql_server
from loaders.columnar.statement import Statement
from loaders.warehouses.base import Warehouse
from tests.conformance.subject import Subject, address_of


class FlightSqlSubject(Subject):
    """Over TLS, with a user and a password. DuckDB behind it: `space` and `other_space` are schemas."""

    connector = "flight_sql"
    estimates = False

    def __init__(self, at: flight_sql_server.Address) -> None:
        self._at = at
        self._connection = flight_sql.connect(
            at.url,
            db_kwargs={
                DatabaseOptions.AUTHORIZATION_HEADER.value: f"Bearer {at.token}",
                DatabaseOptions.TLS_ROOT_CERTS.value: at.certificate.read_text(),
            },
            autocommit=True,
        )

    async def prepare(self) -> None:
        for space in (self.space, self.other_space):
            self._run(f"DROP SCHEMA IF EXISTS {space} CASCADE")
            self._run(f"CREATE SCHEMA {space}")

    async def load(self, name: str, rows: pa.Table, *, space: str | None = None) -> None:
        """By a file, as the server is on this machine."""
        with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
            pq.write_table(rows, file.name)
            self._run(f"CREATE TABLE {space or self.space}.{_doubled(name)} AS FROM read_parquet('{file.name}')")

    async def drop(self, name: str) -> None:
        self._run(f"DROP TABLE {self.space}.{_doubled(name)}")

    def settings(
        self, *, secret: str | None = None, user: str | None = None, url: str | None = None
    ) -> dict[str, object]:
        return {
            "url": url.replace("http://", "grpc+tls://") if url else self._at.url,
            "dialect": "duckdb",
            "db_schema": self.space,
            "root_certificates": self._at.certificate.read_text(),
            "username": user or self._at.user,
            "password": secret or self._at.password,
        }

    @property
    def address(self) -> tuple[str, int]:
        return address_of(self._at.url)

    @property
    def missing(self) -> dict[str, object]:
        return {"db_schema": "axion_no_such_schema"}

    def endless(self, table: str) -> Statement:
        source = f'"{self.space}"."{table}"'
        sql = f"SELECT t.id * u.id AS c0 FROM {source} AS t CROSS JOIN {source} AS u WHERE hash(t.id, u.id) = 0"
        return Statement(sql, (), ())

    async def running(self, warehouse: Warehouse) -> int:
        return flight_sql_server.running(self._at)

    async def close(self) -> None:
        self._connection.close()

    def _run(self, sql: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            cursor.fetchall()


def _doubled(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
