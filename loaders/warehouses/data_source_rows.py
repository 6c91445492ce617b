"""Rows of data sources: what opening their warehouses needs, with the credentials still sealed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from loaders.secrets.keyring import Sealed

_BY_IDS = """
SELECT id, connector_type, options, encrypted_credentials, nonce, tag, key_version, updated_at
FROM public.data_sources WHERE id = ANY($1)
"""


@dataclass(frozen=True, slots=True)
class DataSourceRow:
    """The columns that opening a data source needs. Equal rows open equal warehouses."""

    id: UUID
    connector_type: str
    options: str
    credentials: Sealed | None
    updated_at: datetime

    @property
    def store(self) -> str:
        return store_name(self.id)


def store_name(data_source_id: UUID) -> str:
    """The name of the store in errors and `extensions.stores`. It holds the id and not the data source's name, because
    a caller may read a table without being allowed to see its data source.
    """
    return f"datasource:{data_source_id}"


async def read_rows(gen: Postgres, ids: Sequence[UUID], *, ledger: Ledger) -> Mapping[UUID, DataSourceRow]:
    """The rows by their ids, in one statement. Ids without a row are left out."""
    return {row["id"]: _row_of(row) for row in await gen.fetch(_BY_IDS, ids, ledger=ledger)}


def _row_of(record: asyncpg.Record) -> DataSourceRow:
    sealed = None
    if record["encrypted_credentials"] is not None:
        sealed = Sealed(record["encrypted_credentials"], record["nonce"], record["tag"], record["key_version"])
    return DataSourceRow(record["id"], record["connector_type"], record["options"], sealed, record["updated_at"])
