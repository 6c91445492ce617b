"""A connector as the suite sees it: how to put a table there, open it rightly and wrongly, and look into its engine."""

import asyncio
import io
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import adbc_driver_flightsql.dbapi as flight_sql
import pyarrow as pa
import pyarrow.parquet as pq
from adbc_driver_flightsql import DatabaseOptions
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from impala import dbapi
from pyarrow import fs

from deploy.local.servers import bigquery as bigquery_server
from deploy.local.servers import flight_sql as flight_sql_server
from deploy.local.servers import impala as impala_server
from loaders.addresses import EVERYWHERE
from loaders.clickhouse.client import ClickHouse
from loaders.columnar.statement import Statement
from loaders.description import ColumnType, Kind
from loaders.ledger import Ledger
from loaders.read import AggregateFunction
from loaders.warehouses.base import Warehouse
from loaders.warehouses.bounded import Bounded, bounded
from loaders.warehouses.connectors import connector
from loaders.warehouses.gate import Gate
from loaders.warehouses.s3_parquet import S3Parquet
from resolvers.jobs.kinds.unhurried import Unhurried
from tests.conformance.bigquery_front import ACCOUNT, Front
from tests.conformance.rows import ODD_NAME, ODD_NAMES

ENGINES = ("bigquery", "clickhouse", "flight_sql", "impala", "s3_parquet")
STORE = "datasource:conformance"
NOBODY_LISTENS = "http://127.0.0.1:1"
WRONG_SECRET = "wrong-Secret-7f3a"


class S3Server(Protocol):
    """The fixture `s3`."""

    endpoint: str
    access_key: str
    secret_key: str


def unhurried(warehouse: Warehouse) -> Unhurried:
    """As jobs read it: an engine that is slow to start is no failure here."""
    return Unhurried(bounds_of(warehouse))


def bounds_of(warehouse: Warehouse) -> Bounded:
    gate = Gate(warehouse.store, (), EVERYWHERE, clock=time.monotonic)
    return bounded(warehouse, gate=gate, limit=4, memory_s=0, timeout_ms=60_000, clock=lambda: 0.0)


class Subject(ABC):
    """`space` is where the suite's tables are: a database, or a folder; `other_space` a sibling, named by `schema`."""

    space = "axion_conformance"
    other_space = "axion_conformance_other"
    odd_name = ODD_NAME
    odd_columns: Sequence[str] = ODD_NAMES.column_names
    """Names as odd as the engine allows."""
    kinds: Mapping[str, ColumnType] = {}
    """Columns of `every_type` that are of another type here than elsewhere, as the engine has no such type."""
    mangled: frozenset[str] = frozenset()
    """Columns of `every_type` the test server, unlike the engine, spells wrongly."""
    unsorted: frozenset[str] = frozenset()
    """Columns the test server, unlike the engine, does not sort as it is told."""
    estimates = True
    """Whether the engine tells sizes from metadata."""
    without: frozenset[AggregateFunction] = frozenset()
    """Measures the engine has not (docs/connectors.md)."""
    connector = ""
    """As data sources name it."""

    @abstractmethod
    async def prepare(self) -> None:
        """Empties both spaces."""

    @abstractmethod
    async def load(self, name: str, rows: pa.Table, *, space: str | None = None) -> None: ...

    @abstractmethod
    async def drop(self, name: str) -> None: ...

    @abstractmethod
    def settings(
        self, *, secret: str | None = None, user: str | None = None, url: str | None = None
    ) -> dict[str, object]:
        """All settings of a data source over `space`; with a wrong secret or user, or by way of `http://host:port`."""

    @property
    @abstractmethod
    def address(self) -> tuple[str, int]:
        """Where its server, or what stands before it, listens."""

    @property
    @abstractmethod
    def missing(self) -> dict[str, object]:
        """Settings that name a database or bucket which does not exist."""

    def open(self, *, secret: str | None = None, user: str | None = None, url: str | None = None) -> Warehouse:
        return self.opened(self.settings(secret=secret, user=user, url=url))

    def open_missing(self) -> Warehouse:
        return self.opened(self.settings() | self.missing)

    def opened(self, settings: Mapping[str, object]) -> Warehouse:
        """As the product opens what it has stored."""
        known = connector(self.connector)
        options, credentials = known.split(settings)
        return known.warehouse(STORE, options.model_dump(mode="json"), credentials.to_bytes())

    @abstractmethod
    def endless(self, table: str) -> Statement:
        """A query that would run for minutes over a table of 200,000 rows."""

    @abstractmethod
    async def running(self, warehouse: Warehouse) -> int:
        """Queries the engine has not let go of, asked of the engine."""

    async def close(self) -> None:
        return None


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
        return _address(self._url)

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


class S3ParquetSubject(Subject):
    connector = "s3_parquet"
    bucket = "axion-conformance"

    def __init__(self, server: S3Server) -> None:
        self._server = server
        self._files = fs.S3FileSystem(
            access_key=server.access_key,
            secret_key=server.secret_key,
            endpoint_override=server.endpoint.removeprefix("http://"),
            scheme="http",
            region="us-east-1",
            allow_bucket_creation=True,
        )

    async def prepare(self) -> None:
        self._files.create_dir(self.bucket)
        for found in self._files.get_file_info(fs.FileSelector(self.bucket, recursive=True)):
            if found.type is fs.FileType.File:
                self._files.delete_file(found.path)

    async def load(self, name: str, rows: pa.Table, *, space: str | None = None) -> None:
        folder = f"{self.space}/{name}" if space is None else f"{self.space}/{space}/{name}"
        pq.write_table(rows, f"{self.bucket}/{folder}/part-0.parquet", filesystem=self._files, row_group_size=20_000)

    def add(self, name: str, rows: pa.Table, *, file: str) -> None:
        """One more file of a table."""
        pq.write_table(rows, f"{self.bucket}/{self.space}/{name}/{file}.parquet", filesystem=self._files)

    async def drop(self, name: str) -> None:
        self._files.delete_dir(f"{self.bucket}/{self.space}/{name}")

    def settings(
        self, *, secret: str | None = None, user: str | None = None, url: str | None = None
    ) -> dict[str, object]:
        return {
            "endpoint": url or self._server.endpoint,
            "bucket": self.bucket,
            "prefix": self.space,
            "access_key": user or self._server.access_key,
            "secret_key": secret or self._server.secret_key,
        }

    @property
    def address(self) -> tuple[str, int]:
        return _address(self._server.endpoint)

    @property
    def missing(self) -> dict[str, object]:
        return {"bucket": "axion-no-such-bucket", "prefix": ""}

    def endless(self, table: str) -> Statement:
        sql = f'SELECT t.id * u.id AS c0 FROM "{table}" AS t CROSS JOIN "{table}" AS u WHERE hash(t.id, u.id) = 0'
        return Statement(sql, (), ())

    async def running(self, warehouse: Warehouse) -> int:
        assert isinstance(warehouse, S3Parquet)
        return warehouse.running


class BigQuerySubject(Subject):
    """The emulator behind a front that checks the account: `space` and `other_space` are datasets."""

    connector = "bigquery"
    odd_name = "naïve table-1 漢"
    odd_columns = ("a b é", "c'd", "select")
    kinds = {"id": ColumnType(Kind.BIGINT), "unsigned": ColumnType(Kind.NUMERIC)}
    unsorted = frozenset({"ratio"})  # local-bigquery has no NULLS LAST for floats
    without = frozenset({AggregateFunction.PERCENTILE})

    def __init__(self, at: bigquery_server.Address) -> None:
        self._at = at
        self.front = Front(at.endpoint)
        self._client = bigquery.Client(
            project=at.project, credentials=AnonymousCredentials(), client_options={"api_endpoint": at.endpoint}
        )

    async def prepare(self) -> None:
        if not self.front.endpoint:
            await self.front.start()
        for space in (self.space, self.other_space):
            self._client.delete_dataset(space, delete_contents=True, not_found_ok=True)
            self._client.create_dataset(space)

    async def load(self, name: str, rows: pa.Table, *, space: str | None = None) -> None:
        table = f"{self._at.project}.{space or self.space}.{name}"
        fields = [_bigquery_field(field) for field in rows.schema]
        self._client.create_table(bigquery.Table(table, schema=fields))
        if not rows.num_rows:
            return
        columns = [
            column.cast(pa.decimal128(38, 9)) if pa.types.is_uint64(column.type) else column for column in rows.columns
        ]
        file = io.BytesIO()
        pq.write_table(pa.table(columns, rows.column_names), file)
        file.seek(0)
        config = bigquery.LoadJobConfig(source_format="PARQUET", schema=fields, write_disposition="WRITE_TRUNCATE")
        config.parquet_options = bigquery.ParquetOptions.from_api_repr({"enableListInference": True})
        await asyncio.to_thread(lambda: self._client.load_table_from_file(file, table, job_config=config).result())

    async def drop(self, name: str) -> None:
        self._client.delete_table(f"{self._at.project}.{self.space}.{name}")

    async def last_error(self) -> str | None:
        """BigQuery's word for why the youngest job ended."""
        (job,) = await asyncio.to_thread(lambda: list(self._client.list_jobs(max_results=1)))
        return (job.error_result or {}).get("reason")

    def settings(
        self, *, secret: str | None = None, user: str | None = None, url: str | None = None
    ) -> dict[str, object]:
        key = rsa.generate_private_key(65537, 2048) if secret else None
        return {
            "project": self._at.project,
            "dataset": self.space,
            "endpoint": url or self.front.endpoint,
            "storage_endpoint": self._at.storage_endpoint,
            "service_account": self.front.service_account(key=key, email=user or ACCOUNT),
        }

    @property
    def address(self) -> tuple[str, int]:
        return _address(self.front.endpoint)

    @property
    def missing(self) -> dict[str, object]:
        return {"dataset": "axion_no_such_dataset"}

    def endless(self, table: str) -> Statement:
        source = f"`{self.space}`.`{table}`"
        sql = f"SELECT t.id * u.id AS c0 FROM {source} AS t CROSS JOIN {source} AS u WHERE MOD(t.id + u.id, 400009) < 0"
        return Statement(sql, (), ())

    async def running(self, warehouse: Warehouse) -> int:
        return len(await asyncio.to_thread(lambda: list(self._client.list_jobs(state_filter="running"))))

    async def close(self) -> None:
        self._client.close()
        await self.front.stop()


_BIGQUERY_TYPES = {
    pa.bool_(): "BOOL",
    pa.int32(): "INT64",
    pa.int64(): "INT64",
    pa.uint64(): "NUMERIC",
    pa.float64(): "FLOAT64",
    pa.string(): "STRING",
    pa.decimal128(20, 4): "NUMERIC",
    pa.decimal128(18, 4): "NUMERIC",
    pa.date32(): "DATE",
    pa.timestamp("us", "UTC"): "TIMESTAMP",
}


def _bigquery_field(field: pa.Field) -> bigquery.SchemaField:
    if pa.types.is_list(field.type):
        return bigquery.SchemaField(field.name, _BIGQUERY_TYPES[field.type.value_type], mode="REPEATED")
    return bigquery.SchemaField(field.name, _BIGQUERY_TYPES[field.type])


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
        return _address(self._at.url)

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
        host, port = _address(url) if url else self.address
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


def subject_of(engine: str, fixture: Callable[[str], Any]) -> Subject:
    """A subject for that connector, over what the fixtures of that name give."""
    made: Subject
    match engine:
        case "bigquery":
            made = BigQuerySubject(fixture(engine))
        case "clickhouse":
            made = ClickHouseSubject(fixture("clickhouse_url"), fixture("clickhouse_password"))
        case "flight_sql":
            made = FlightSqlSubject(fixture(engine))
        case "impala":
            made = ImpalaSubject(fixture(engine))
        case _:
            made = S3ParquetSubject(fixture("s3"))
    return made


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


def _doubled(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _quoted(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
