"""Targets for a test on the test stack's Postgres: databases and roles with a random suffix, dropped afterwards."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from migrations.targets import Database, DatabaseName, Role, Targets

NAMES: tuple[DatabaseName, ...] = get_args(DatabaseName)


def fresh_targets(admin_url: str) -> Targets:
    suffix = "_" + secrets.token_hex(4)
    admin = make_url(admin_url)

    def url(database: str, role: str) -> str:
        named = admin.set(
            username=f"{database}{suffix}_{role}", password=secrets.token_hex(8), database=database + suffix
        )
        return named.render_as_string(hide_password=False)

    databases = {
        name: Database.of_urls(
            app_url=url(name, "app"), worker_url=url(name, "worker"), migrate_url=url(name, "migrate")
        )
        for name in NAMES
    }
    return Targets(databases, admin_url=admin.render_as_string(hide_password=False))


@contextmanager
def dropped_afterwards(targets: Targets) -> Iterator[Targets]:
    try:
        yield targets
    finally:
        with admin_connection(targets) as connection:
            for database in targets.databases.values():
                connection.execute(
                    sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database.name))
                )
            for database in targets.databases.values():
                for role in (database.app, database.worker, database.migrate):
                    connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role.name)))


@contextmanager
def admin_connection(targets: Targets, database: str | None = None) -> Iterator[psycopg.Connection]:
    admin = targets.admin()
    assert admin is not None
    url = admin.set(drivername="postgresql", database=database or admin.database)
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        yield connection


@contextmanager
def connection_as(role: Role, database: Database) -> Iterator[psycopg.Connection]:
    url = database.url.set(drivername="postgresql", username=role.name, password=role.password)
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        yield connection


def role_of(database: Database, kind: str) -> Role:
    return {"app": database.app, "worker": database.worker, "migrate": database.migrate}[kind]
