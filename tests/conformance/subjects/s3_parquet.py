"""Parquet files in a bucket of the stack's S3 server."""

from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from loaders.columnar.statement import Statement
from loaders.warehouses.base import Warehouse
from loaders.warehouses.s3_parquet import S3Parquet
from tests.conformance.subject import Subject, address_of


class S3Server(Protocol):
    """The fixture `s3`."""

    endpoint: str
    access_key: str
    secret_key: str


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
        return address_of(self._server.endpoint)

    @property
    def missing(self) -> dict[str, object]:
        return {"bucket": "axion-no-such-bucket", "prefix": ""}

    def endless(self, table: str) -> Statement:
        sql = f'SELECT t.id * u.id AS c0 FROM "{table}" AS t CROSS JOIN "{table}" AS u WHERE hash(t.id, u.id) = 0'
        return Statement(sql, (), ())

    async def running(self, warehouse: Warehouse) -> int:
        assert isinstance(warehouse, S3Parquet)
        return warehouse.running
