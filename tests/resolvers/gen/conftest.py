import base64
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias, cast

import pytest
import sqlalchemy as sa

from loaders.ledger import Ledger
from loaders.openfga.client import OpenFga
from loaders.openfga.tuples import RelationTuple
from loaders.postgres.client import Postgres
from loaders.secrets.keyring import Keyring
from loaders.stores import Stores
from loaders.tables.axion_gen.catalog import DataSource
from loaders.tables.axion_gen.dashboards import Dashboard
from loaders.tables.axion_gen.identity import Role, User
from loaders.tables.axion_gen.outbox import OpenFgaOutbox
from loaders.tables.axion_gen.role_assignments import RoleAssignment
from loaders.vectors.embeddings import Embeddings
from loaders.vectors.local import LocalHashing
from loaders.warehouses.pools import Warehouses
from resolvers.context import Context
from resolvers.permissions.verdicts import Verdicts
from resolvers.subject import Subject
from tests.loaders.openfga.stores import Store, fresh_store
from tests.loaders.warehouses.gen_database import gen_database


@dataclass(frozen=True, slots=True)
class GenStores:
    """The stores Gen's resolvers use, opened."""

    postgres: dict[str, Postgres]
    openfga: OpenFga
    warehouses: Warehouses
    keyring: Keyring
    embeddings: Embeddings = field(default_factory=lambda: LocalHashing(8))


As: TypeAlias = Callable[[str], Context]


@pytest.fixture(scope="session")
def gen_url(admin_url: str) -> Iterator[str]:
    with gen_database(admin_url) as url:
        yield url


@pytest.fixture
async def store(openfga_url: str, openfga_token: str) -> AsyncIterator[Store]:
    async with fresh_store(openfga_url, openfga_token) as fresh:
        yield fresh


@pytest.fixture
async def stores(gen_url: str, store: Store) -> AsyncIterator[GenStores]:
    gen = await Postgres.open("axion_gen", gen_url, pool_max=4, statement_timeout_ms=5_000)
    async with gen.transaction() as session:
        await session.execute(sa.delete(RoleAssignment))
        await session.execute(sa.delete(Dashboard))
        await session.execute(sa.delete(DataSource))
        await session.execute(sa.delete(OpenFgaOutbox))
    keyring = Keyring({1: base64.b64encode(bytes(range(32))).decode()}, current_version=1)
    warehouses = Warehouses(gen, keyring, row_memory_s=60)  # so that no statement depends on how slow the machine is
    openfga = store.client()
    await openfga.write([RelationTuple("user:admin", "admin", "system:axion-gen")], ledger=Ledger())
    yield GenStores({"axion_gen": gen}, openfga, warehouses, keyring)
    await warehouses.close()
    await gen.close()


@pytest.fixture
def as_(stores: GenStores) -> As:
    """A context of its own for the request of a user; the empty name is the anonymous one."""

    def context(name: str) -> Context:
        subject = Subject(id=name, kind="user" if name else "anonymous")
        ledger = Ledger()
        verdicts = Verdicts(subject, stores.openfga, ledger)
        return Context(subject, "test", cast(Stores, stores), verdicts, ledger)

    return context


@pytest.fixture
async def seeded(stores: GenStores) -> None:
    """The built-in roles, no other, and the users ann (1) and bob (2)."""
    async with stores.postgres["axion_gen"].transaction() as session:
        await session.execute(sa.text("TRUNCATE roles, users, openfga_outbox RESTART IDENTITY CASCADE"))
        built_in = [{"id": 1, "name": "Admin", "is_built_in": True}, {"id": 2, "name": "Analyst", "is_built_in": True}]
        await session.execute(sa.insert(Role), built_in)
        await session.execute(sa.text("ALTER TABLE roles ALTER COLUMN id RESTART WITH 100"))
        people = [{"id": i, "external_auth_id": name} for i, name in ((1, "ann"), (2, "bob"))]
        await session.execute(sa.insert(User), people)
        await session.execute(sa.text("ALTER TABLE users ALTER COLUMN id RESTART WITH 100"))
