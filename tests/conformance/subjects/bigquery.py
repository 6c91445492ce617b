"""BigQuery's emulator, behind a proxy that authenticates the account."""

import asyncio
import io

import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from deploy.local.servers import bigquery as bigquery_server
from loaders.columnar.statement import Statement
from loaders.description import ColumnType, Kind
from loaders.read import AggregateFunction
from loaders.warehouses.base import Warehouse
from tests.conformance.bigquery_front import ACCOUNT, Front
from tests.conformance.subject import Subject, address_of


class BigQuerySubject(Subject):
    """The emulator behind a front that checks the account: `space` and `other_space` are datasets."""

    connector = "bigquery"
    odd_name = "naïve table-1 漢"
    odd_columns = ("a b é", "c'd", "select")
    kinds = {"id": ColumnType(Kind.BIGINT), "unsigned": ColumnType(Kind.NUMERIC)}
    streams_whole = True
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
        return address_of(self.front.endpoint)

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
