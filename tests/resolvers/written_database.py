"""A database of its own with a table of every column kind and every constraint, and two organizations."""

import base64
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import asyncpg
import psycopg
import sqlalchemy as sa
from geoalchemy2 import Geometry
from pgvector.sqlalchemy import Vector
from psycopg import sql
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB, TIMESTAMP, UUID

from loaders.ledger import Ledger
from loaders.openfga.client import OpenFga
from loaders.openfga.tuples import RelationTuple
from loaders.postgres.client import Postgres
from loaders.postgres.stored_table import StoredTable
from loaders.secrets.keyring import Keyring
from loaders.stores import Stores
from loaders.tables.auradb import workspaces
from loaders.tables.auradb.rag import EMBEDDING_DIMENSIONS
from loaders.tables.axion_sense import public, road_data
from loaders.tables.columns import NAMES
from loaders.tables.describe import describe
from loaders.tables.uuid7 import uuid7
from loaders.vectors.local import LocalHashing
from migrations.layouts import READ_WRITE
from resolvers.context import Context
from resolvers.permissions.guards import Policies, Visible, WriteGuard
from resolvers.permissions.verdicts import Verdicts
from resolvers.subject import Subject
from resolvers.target import Target
from tests.loaders.openfga.stores import Store

STORE = "axion_sense"
KEYS = cast(sa.Table, public.IdempotencyKey.__table__)
ORGANIZATIONS = cast(sa.Table, public.Organization.__table__)
HOLDS = cast(sa.Table, road_data.Hold.__table__)
THINGS = sa.Table(
    "things",
    sa.MetaData(naming_convention=NAMES),
    sa.Column("id", UUID(), primary_key=True, default=uuid7),
    sa.Column("organization_id", sa.BigInteger, nullable=False),
    sa.Column("parent_id", UUID(), sa.ForeignKey("public.things.id")),
    sa.Column("name", sa.String(20), nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="open"),
    sa.Column("small", sa.SmallInteger),
    sa.Column("big", sa.BigInteger),
    sa.Column("amount", sa.Numeric),
    sa.Column("price", sa.Numeric(5, 2)),
    sa.Column("ratio", sa.Double),
    sa.Column("flag", sa.Boolean),
    sa.Column("day", sa.Date),
    sa.Column("at", TIMESTAMP(timezone=True)),
    sa.Column("data", JSONB),
    sa.Column("tags", ARRAY(sa.Text)),
    sa.Column("raw", BYTEA),
    sa.Column("spot", Geometry("POINTZ", srid=4326, dimension=3, spatial_index=False)),
    sa.Column("line", Geometry("LINESTRING", srid=4326, spatial_index=False)),
    sa.Column("area", Geometry("POLYGON", srid=4326, spatial_index=False)),
    sa.Column("shape", Geometry("GEOMETRY", srid=4326, spatial_index=False)),
    sa.Column("embedding", Vector(3)),
    sa.Column("updated_at", TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.UniqueConstraint("organization_id", "name"),
    sa.CheckConstraint("status IN ('open', 'closed')", name="status"),
    sa.CheckConstraint("big > 0 OR small > 0", name="big"),
    schema="public",
)
TABLE = describe(THINGS, STORE)
TARGET = Target(
    StoredTable(TABLE, THINGS),
    WriteGuard("organization", "can_admin", "organization_id"),
    {column.name: column.name.upper() for column in TABLE.columns},  # so that no message shows a column's own name
    {"organization_id": describe(ORGANIZATIONS, STORE), "parent_id": TABLE},
)
POLICIES: Policies = {
    TABLE: Visible("organization", "can_view", "organization_id"),
    describe(ORGANIZATIONS, STORE): Visible("organization", "can_view", "id"),
}
OURS, SHARED, THEIRS = 1, 2, 3
"""`admin` administers the first two, `member` is a member of the first two and `stranger` of the third."""

_TUPLES = (
    *(RelationTuple("user:admin", "admin", f"organization:{id_}") for id_ in (OURS, SHARED)),
    *(RelationTuple("user:member", "member", f"organization:{id_}") for id_ in (OURS, SHARED)),
    RelationTuple("user:stranger", "admin", f"organization:{THEIRS}"),
    RelationTuple("user:half", "admin", f"organization:{OURS}"),
    RelationTuple("user:half", "member", f"organization:{SHARED}"),
    RelationTuple("user:root", "admin", "system:axion-gen"),
    RelationTuple("user:admin", "owner", "workspace:w1"),
    RelationTuple("user:member", "member", "workspace:w1"),
)


ENCRYPTION_KEYS = {version: base64.b64encode(bytes([version]) * 32).decode() for version in (1, 2)}
KEYRING = Keyring({1: ENCRYPTION_KEYS[1]}, current_version=1)


@dataclass(frozen=True, slots=True)
class Urls:
    """`app` is the URL of a role that has rows and nothing else, as the gateway's."""

    admin: str = field(repr=False)
    app: str = field(repr=False)


@contextmanager
def written_database(admin_url: str) -> Iterator[Urls]:
    """Dropped afterwards, with its role."""
    admin = sa.make_url(admin_url).set(drivername="postgresql")
    name, password = f"test_writes_{secrets.token_hex(4)}", secrets.token_hex(16)
    with psycopg.connect(admin.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), password))
        try:
            url = admin.set(database=name)
            engine = sa.create_engine(url.set(drivername="postgresql+psycopg"))
            with engine.begin() as opened:
                for statement in ("CREATE EXTENSION postgis", "CREATE EXTENSION vector", "CREATE SCHEMA road_data"):
                    opened.execute(sa.text(statement))
                for table in (ORGANIZATIONS, KEYS, HOLDS, cast(sa.Table, workspaces.Workspace.__table__), THINGS):
                    table.create(opened)
                for schema in ("public", "road_data"):
                    opened.execute(sa.text(f"GRANT USAGE ON SCHEMA {schema} TO {name}"))
                    rows = ", ".join(READ_WRITE)
                    opened.execute(sa.text(f"GRANT {rows} ON ALL TABLES IN SCHEMA {schema} TO {name}"))
            engine.dispose()
            app = url.set(username=name, password=password)
            yield Urls(url.render_as_string(hide_password=False), app.render_as_string(hide_password=False))
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@dataclass(frozen=True, slots=True)
class World:
    """The opened database, a connection beside the gateway's own, and contexts of each user's requests."""

    postgres: Postgres
    openfga: OpenFga
    direct: "asyncpg.Connection[asyncpg.Record]"
    urls: Urls

    def as_(self, user: str, *, key: str | None = None, keyring: Keyring = KEYRING) -> Context:
        """A context of its own; the empty name is the anonymous one."""
        subject = Subject(id=user, kind="user" if user else "anonymous")
        ledger = Ledger()
        verdicts = Verdicts(subject, self.openfga, ledger)
        opened = cast(Stores, _Opened(self.postgres, keyring))
        return Context(subject, "test", opened, verdicts, ledger, idempotency_key=key)

    async def everything(self) -> list[list[dict[str, Any]]]:
        """All rows a mutation could have touched, to compare a before with an after."""
        tables = ("public.things", "road_data.holds", "public.workspaces", "public.idempotency_keys")
        return [[dict(row) for row in await self.direct.fetch(f"SELECT * FROM {each} ORDER BY 1")] for each in tables]


class _Opened:
    """As much of `Stores` as writes use. Both databases are one here."""

    def __init__(self, postgres: Postgres, keyring: Keyring) -> None:
        self.keyring = keyring
        self.postgres = {STORE: postgres, "auradb": postgres}
        self.columnar: dict[str, object] = {}
        self.embeddings = LocalHashing(EMBEDDING_DIMENSIONS)


@asynccontextmanager
async def world(urls: Urls, store: Store) -> AsyncIterator[World]:
    """Nothing but the organizations and one workspace is there."""
    postgres = await Postgres.open(STORE, urls.app, pool_max=4, statement_timeout_ms=5_000)
    direct = await asyncpg.connect(urls.admin)
    try:
        await direct.execute("TRUNCATE organizations, road_data.holds, things, workspaces, idempotency_keys")
        for id_, code in ((OURS, "ours"), (SHARED, "shared"), (THEIRS, "theirs")):
            await direct.execute("INSERT INTO organizations (id, name, code) VALUES ($1, $2, $2)", id_, code)
        await direct.execute(
            "INSERT INTO workspaces (id, name, path, created_at, updated_at) VALUES ('w1', 'One', '/one', now(), now())"
        )
        openfga = store.client()
        await openfga.write(_TUPLES, ledger=Ledger())
        yield World(postgres, openfga, direct, urls)
    finally:
        await direct.close()
        await postgres.close()
