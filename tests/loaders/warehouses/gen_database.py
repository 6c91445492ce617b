"""A database with Gen's tables for a test, on the test stack's Postgres."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import sqlalchemy as sa
from psycopg import sql

from loaders.tables.axion_gen import AxionGen


@contextmanager
def gen_database(admin_url: str) -> Iterator[str]:
    """Its URL as superuser; dropped afterwards."""
    admin = sa.make_url(admin_url).set(drivername="postgresql")
    name = f"test_gen_{secrets.token_hex(4)}"
    with psycopg.connect(admin.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            url = admin.set(database=name)
            engine = sa.create_engine(url.set(drivername="postgresql+psycopg"))
            AxionGen.metadata.create_all(engine)
            engine.dispose()
            yield url.render_as_string(hide_password=False)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
