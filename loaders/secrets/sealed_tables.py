"""Lists the tables with encrypted secrets: each row has one secret, in the four columns of `Sealed`."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from loaders.tables.axion_gen.base import AxionGen
from loaders.tables.axion_gen.catalog import DataSource
from loaders.tables.axion_gen.external import (
    ExternalApi,
    ExternalApiAccessToken,
    ExternalApiAuthorization,
    UserExternalApiToken,
)
from loaders.tables.axion_gen.revocations import TokenRevocation, TokenToRevoke


@dataclass(frozen=True, slots=True)
class SealedTable:
    """A table of `axion_gen` with a UUID key `id`. A row whose `key_version` is null holds no secret."""

    table: sa.Table
    ciphertext: str

    @property
    def name(self) -> str:
        return self.table.name


def _table(model: type[AxionGen]) -> sa.Table:
    table = model.__table__
    assert isinstance(table, sa.Table)
    return table


SEALED_TABLES: Sequence[SealedTable] = (
    SealedTable(_table(DataSource), "encrypted_credentials"),
    SealedTable(_table(UserExternalApiToken), "encrypted_token"),
    SealedTable(_table(ExternalApi), "encrypted_client_secret"),
    SealedTable(_table(ExternalApiAuthorization), "encrypted_verifier"),
    SealedTable(_table(ExternalApiAccessToken), "encrypted_token"),
    SealedTable(_table(TokenRevocation), "encrypted_client_secret"),
    SealedTable(_table(TokenToRevoke), "encrypted_token"),
)
"""All tables with secrets: a table missing here is not rotated. Rows are copied only from earlier tables of this list
to later ones.
"""


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """The number of a table's rows encrypted under a version of the key."""

    table: str
    key_version: int
    rows: int


_USAGE = " UNION ALL ".join(
    f"SELECT '{each.name}' AS name, key_version, count(*) AS rows FROM public.{each.name}"  # noqa: S608 - names of the models' own tables
    " WHERE key_version IS NOT NULL GROUP BY key_version"
    for each in SEALED_TABLES
)


async def key_usage(gen: Postgres, *, ledger: Ledger) -> Sequence[KeyUsage]:
    """One statement. Ordered by table and version; versions without rows are left out. Raises a `StoreError`."""
    rows = await gen.fetch(f"{_USAGE} ORDER BY name, key_version", ledger=ledger)
    return [KeyUsage(row["name"], row["key_version"], row["rows"]) for row in rows]
