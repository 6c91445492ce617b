"""Makes what a migration cannot make for itself: the databases and who may do what in them.

Everything is compared or re-granted, so a half-made cluster is completed. Privileges go to roles by name and to later
tables by default privileges of the migrate role. Nothing is granted to PUBLIC.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from sqlalchemy import URL

from migrations.errors import MigrationFailed, TargetInvalid
from migrations.layouts import HISTORY_SCHEMA, LAYOUTS, Layout
from migrations.lock import LOCK_KEY
from migrations.roles import grants
from migrations.roles.connection import Connection, connect
from migrations.targets import Database, DatabaseName, Role, Targets

SLOW_STATEMENT_MS = 250
"""reference/postgresql-platform.md, "Observability"."""


def provision(targets: Targets) -> list[str]:
    """What was created, in order. A second concurrent run waits for the first. `MigrationFailed` names the database."""
    admin = targets.admin()
    if admin is None:
        raise TargetInvalid(
            "roles need the URL of a superuser: set AXION_POSTGRES__ADMIN_URL, or leave them to your DBA"
        )
    _refuse_shared_roles(targets)
    changes: list[str] = []
    with _step("the cluster"), connect(admin) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (LOCK_KEY,))
        for database in targets.databases.values():
            with _step(f"roles of {database.name}"), connection.transaction():
                changes += [change for role in _roles(database) for change in _role(connection, role)]
            changes += _database(connection, database)
        for name, database in targets.databases.items():
            guests = tuple(
                targets.databases[guest].worker for guest in LAYOUTS[name].guests if guest in targets.databases
            )
            changes += _inside(admin, name, database, guests)
    return changes


def _roles(database: Database) -> tuple[Role, Role, Role]:
    return database.app, database.worker, database.migrate


def _refuse_shared_roles(targets: Targets) -> None:
    seen: dict[str, str] = {}
    for database in targets.databases.values():
        for role in _roles(database):
            if role.name in seen:
                raise TargetInvalid(
                    f"role {role.name} is used for {seen[role.name]} and {database.name}: give each database roles of "
                    f"its own, so that one cannot read the other"
                )
            seen[role.name] = database.name


def _role(connection: Connection, role: Role) -> Iterator[str]:
    name = sql.Identifier(role.name)
    row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = %s", (role.name,)).fetchone()
    if row is None:
        connection.execute(sql.SQL("CREATE ROLE {}").format(name))
        yield f"role {role.name} created"
    elif row[0]:
        raise TargetInvalid(
            f"role {role.name} is a superuser: name another role in the URL, its grants would mean nothing"
        )
    connection.execute(
        sql.SQL("ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS").format(name)
    )
    if role.password is not None:
        verifier = connection.pgconn.encrypt_password(role.password.encode(), role.name.encode(), b"scram-sha-256")
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(name, verifier.decode()))


def _database(connection: Connection, database: Database) -> Iterator[str]:
    """CREATE DATABASE cannot run in a transaction; the rest can be repeated."""
    name = sql.Identifier(database.name)
    with _step(f"database {database.name}"):
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database.name,)).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0").format(name))
            yield f"database {database.name} created"


def _inside(admin: URL, name: DatabaseName, database: Database, guests: tuple[Role, ...]) -> list[str]:
    layout = LAYOUTS[name]
    with _step(f"set-up of {database.name}"), connect(admin.set(database=database.name)) as connection:
        with connection.transaction():
            _parameters(connection, database, layout)
            grants.on_database(connection, database, guests)
            changes = [*_schemas(connection, database, layout), *_extensions(connection, database, layout)]
            grants.on_schemas(connection, database, layout)
        return changes


def _parameters(connection: Connection, database: Database, layout: Layout) -> None:
    values = {
        "log_min_duration_statement": sql.Literal(SLOW_STATEMENT_MS),
        "log_parameter_max_length": sql.Literal(0),  # statements are logged without their values: they may be personal
        "timezone": sql.Literal("UTC"),
        "search_path": sql.SQL(", ").join(sql.Identifier(schema) for schema in layout.search_path),
    }
    for parameter, value in values.items():
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET {} = {}").format(
                sql.Identifier(database.name), sql.Identifier(parameter), value
            )
        )


def _schemas(connection: Connection, database: Database, layout: Layout) -> Iterator[str]:
    migrate = sql.Identifier(database.migrate.name)
    for schema in (*layout.schemas, HISTORY_SCHEMA):
        name = sql.Identifier(schema)
        if connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone() is None:
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(name))
            yield f"schema {database.name}.{schema} created"
        connection.execute(sql.SQL("ALTER SCHEMA {} OWNER TO {}").format(name, migrate))


def _extensions(connection: Connection, database: Database, layout: Layout) -> Iterator[str]:
    for extension in layout.extensions:
        if connection.execute("SELECT 1 FROM pg_extension WHERE extname = %s", (extension.name,)).fetchone() is None:
            schema = sql.Identifier(extension.schema)
            connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(schema))
            connection.execute(sql.SQL("CREATE EXTENSION {} SCHEMA {}").format(sql.Identifier(extension.name), schema))
            yield f"extension {extension.name} created in {database.name}"


@contextmanager
def _step(step: str) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        cause = error.diag.message_primary or str(error).strip()
        raise MigrationFailed("roles", step, cause) from error
