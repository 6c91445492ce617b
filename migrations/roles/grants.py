"""Grants privileges in a database. App and worker roles may change rows, never definitions: no CREATE, TRUNCATE,
TEMPORARY.
"""

from collections.abc import Iterable

from psycopg import sql

from migrations.layouts import PARTMAN_SCHEMA, Layout
from migrations.roles.connection import Connection
from migrations.targets import Database, Role


def on_database(connection: Connection, database: Database, guests: Iterable[Role]) -> None:
    """Only the three roles and `guests` (members of the worker role) may connect."""
    name, app, worker, migrate = _identifiers(database)
    _run(
        connection,
        sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC, {}, {}, {}").format(name, app, worker, migrate),
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}, {}").format(name, app, worker),
        sql.SQL("GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {} TO {}").format(name, migrate),
        *(sql.SQL("GRANT {} TO {}").format(worker, sql.Identifier(guest.name)) for guest in guests),
    )


def on_schemas(connection: Connection, database: Database, layout: Layout) -> None:
    """Privileges on the tables that exist and, by default privileges of the migrate role, on those to come."""
    _, app, worker, migrate = _identifiers(database)
    for schema in layout.schemas:
        name = sql.Identifier(schema)
        _run(
            connection,
            sql.SQL("REVOKE ALL ON SCHEMA {} FROM PUBLIC").format(name),
            sql.SQL("GRANT USAGE ON SCHEMA {} TO {}, {}").format(name, app, worker),
        )
        for role, privileges in ((app, layout.app_privileges), (worker, layout.worker_privileges)):
            if privileges:
                _rows(connection, schema, role, privileges, migrate_name=database.migrate.name)
    if any(extension.schema == PARTMAN_SCHEMA for extension in layout.extensions):
        _partman(connection, migrate)


def _rows(
    connection: Connection, schema: str, role: sql.Identifier, privileges: tuple[str, ...], *, migrate_name: str
) -> None:
    """An extension's own tables in the schema are left alone: they belong to the admin."""
    name, migrate = sql.Identifier(schema), sql.Identifier(migrate_name)
    granted = sql.SQL(", ").join(sql.SQL(privilege) for privilege in privileges)
    defaults = sql.SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA {} ").format(migrate, name)
    _run(
        connection,
        defaults + sql.SQL("GRANT {} ON TABLES TO {}").format(granted, role),
        defaults + sql.SQL("GRANT USAGE ON SEQUENCES TO {}").format(role),
    )
    owned = connection.execute(
        "SELECT relname, relkind = 'S' FROM pg_class"
        " WHERE relnamespace = to_regnamespace(quote_ident(%s)) AND relowner = to_regrole(quote_ident(%s))"
        " AND relkind IN ('r', 'p', 'v', 'm', 'S')",
        (schema, migrate_name),
    ).fetchall()
    for relation, is_sequence in owned:
        what = sql.SQL("USAGE ON SEQUENCE") if is_sequence else granted + sql.SQL(" ON TABLE")
        _run(connection, sql.SQL("GRANT {} {} TO {}").format(what, sql.Identifier(schema, str(relation)), role))


def _partman(connection: Connection, migrate: sql.Identifier) -> None:
    """What pg_partman's documentation gives to the owner of partitioned tables; nobody else uses it directly."""
    name = sql.Identifier(PARTMAN_SCHEMA)
    _run(
        connection,
        sql.SQL("GRANT ALL ON SCHEMA {} TO {}").format(name, migrate),
        sql.SQL("GRANT ALL ON ALL TABLES IN SCHEMA {} TO {}").format(name, migrate),
        sql.SQL("GRANT EXECUTE ON ALL ROUTINES IN SCHEMA {} TO {}").format(name, migrate),
    )


def _identifiers(database: Database) -> tuple[sql.Identifier, sql.Identifier, sql.Identifier, sql.Identifier]:
    names = (database.name, database.app.name, database.worker.name, database.migrate.name)
    name, app, worker, migrate = (sql.Identifier(each) for each in names)
    return name, app, worker, migrate


def _run(connection: Connection, *statements: sql.Composed) -> None:
    for statement in statements:
        connection.execute(statement)
