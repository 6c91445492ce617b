import base64
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import pytest
import sqlalchemy as sa

from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from loaders.secrets.keyring import Keyring, Sealed
from loaders.tables.axion_gen.catalog import DataSource
from loaders.tables.axion_gen.external import ExternalApi, UserExternalApiToken
from loaders.tables.axion_gen.identity import User
from loaders.tables.uuid7 import uuid7
from tests.loaders.warehouses.gen_database import gen_database

KEYS = {version: base64.b64encode(bytes([version]) * 32).decode() for version in (1, 2, 3)}
SECRET_COLUMNS = {"data_sources": "encrypted_credentials", "user_external_api_tokens": "encrypted_token"}


def ring(*versions: int) -> Keyring:
    """The last one is the current."""
    return Keyring({version: KEYS[version] for version in versions}, versions[-1])


@dataclass(frozen=True, slots=True)
class Secrets:
    """Rows with sealed secrets, and what they open to."""

    gen: Postgres

    async def data_source(self, secret: bytes, version: int) -> UUID:
        sealed = ring(version).seal(secret)
        row = DataSource(id=uuid7(), connector_type="clickhouse", options={}, encrypted_credentials=sealed.ciphertext)
        row.name, row.nonce, row.tag, row.key_version = str(row.id), sealed.nonce, sealed.tag, sealed.key_version
        async with self.gen.transaction() as session:
            session.add(row)
        return row.id

    async def token(self, secret: bytes, version: int) -> UUID:
        sealed = ring(version).seal(secret)
        user = User(external_auth_id=str(uuid7()))
        api = ExternalApi(id=uuid7(), name=str(uuid7()), base_url="https://a.example", client_id="axion")
        api.authorization_url, api.token_url = "https://a.example/auth", "https://a.example/token"
        row = UserExternalApiToken(id=uuid7(), owner_subject=user.external_auth_id, external_api_id=api.id)
        row.encrypted_token, row.nonce, row.tag = sealed.ciphertext, sealed.nonce, sealed.tag
        row.key_version = sealed.key_version
        async with self.gen.transaction() as session:
            session.add_all([user, api])
            await session.flush()
            session.add(row)
        return row.id

    async def row(self, id_: UUID) -> asyncpg.Record:
        for table, secret in SECRET_COLUMNS.items():
            sql = f"SELECT {secret} AS secret, nonce, tag, key_version, updated_at FROM {table} WHERE id = $1"
            for row in await self.gen.fetch(sql, id_, ledger=Ledger()):
                return row
        raise AssertionError(f"there is no row {id_}")

    async def sealed(self, id_: UUID) -> Sealed:
        row = await self.row(id_)
        return Sealed(row["secret"], row["nonce"], row["tag"], row["key_version"])

    async def versions(self, ids: Sequence[UUID]) -> list[int]:
        return [(await self.sealed(id_)).key_version for id_ in ids]


@pytest.fixture(scope="session")
def gen_url(admin_url: str) -> Iterator[str]:
    with gen_database(admin_url) as url:
        yield url


@pytest.fixture
async def secrets(gen_url: str) -> AsyncIterator[Secrets]:
    gen = await Postgres.open("axion_gen", gen_url, pool_max=4, statement_timeout_ms=10_000)
    async with gen.transaction() as session:
        for model in (DataSource, ExternalApi, User):
            await session.execute(sa.delete(model))
    yield Secrets(gen)
    await gen.close()
