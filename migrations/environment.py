"""Runs a database's revisions: Alembic's engine without its command line, the same for every history.

Forward only: a revision has `upgrade()` and no `downgrade()`; what was wrong is mended by the next revision
(reference/postgresql-platform.md, "Common operational tasks").
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep, RevisionStep
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from psycopg import sql
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from migrations import operations  # noqa: F401  registers the operations that revisions use
from migrations.errors import MigrationFailed
from migrations.layouts import HISTORY_SCHEMA, Grant
from migrations.lock import LOCK_KEY
from migrations.targets import Database

LOCK_TIMEOUT = "10s"
"""A revision that cannot get a table within this time fails, instead of queueing all traffic behind itself."""


def history(folder: Path) -> ScriptDirectory:
    """The revisions of a folder. Their files lie in it directly."""
    return ScriptDirectory(str(folder), version_locations=[str(folder)])


def upgrade(database: Database, folder: Path, grants: Iterable[Grant] = ()) -> list[str]:
    """Brings the database to the newest revision; the revisions that ran, in order.

    One transaction per revision. A second runner waits for the first and then finds nothing to do. MigrationFailed
    names the revision that failed: it is rolled back, those before it stay. Grants are given again each time, so that a
    role renamed in the settings gets them too.
    """
    script = history(folder)
    engine = create_engine(database.url, poolclass=NullPool, connect_args={"application_name": "axion migrate"})
    try:
        with engine.connect() as connection:
            _lock(connection)
            done = _run(connection, database, script)
            _grant(connection, database, grants)
            return done
    except DBAPIError as error:
        raise MigrationFailed(database.name, "connecting", _cause(error)) from error
    finally:
        engine.dispose()


def _lock(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK_KEY})
    connection.execute(text("SELECT set_config('lock_timeout', :timeout, false)"), {"timeout": LOCK_TIMEOUT})
    connection.commit()


def _run(connection: Connection, database: Database, script: ScriptDirectory) -> list[str]:
    done: list[str] = []
    current = "reading the history"

    def steps(heads: tuple[str, ...], _: MigrationContext) -> Iterator[RevisionStep]:
        nonlocal current
        pending = list(script.iterate_revisions("heads", heads, implicit_base=True))
        for revision in reversed(pending):
            current = f"revision {revision.revision}"
            yield MigrationStep.upgrade_from_script(script.revision_map, revision)
            done.append(current)

    try:
        _configured(connection, script, steps)
    except DBAPIError as error:
        raise MigrationFailed(database.name, current, _cause(error)) from error
    except (CommandError, RevisionError) as error:
        raise MigrationFailed(database.name, current, str(error)) from error
    return done


def _configured(
    connection: Connection,
    script: ScriptDirectory,
    steps: Callable[[tuple[str, ...], MigrationContext], Iterator[RevisionStep]],
) -> None:
    with EnvironmentContext(Config(), script, fn=steps) as environment:
        environment.configure(
            connection=connection,
            version_table_schema=HISTORY_SCHEMA,
            transaction_per_migration=True,
        )
        with environment.begin_transaction():
            environment.run_migrations()


def _grant(connection: Connection, database: Database, grants: Iterable[Grant]) -> None:
    try:
        for grant in grants:
            role = sql.Identifier((database.app if grant.to == "app" else database.worker).name).as_string()
            connection.exec_driver_sql(f"GRANT {grant.privileges} ON {grant.on} TO {role}")
        connection.commit()
    except DBAPIError as error:
        raise MigrationFailed(database.name, "granting", _cause(error)) from error


def _cause(error: DBAPIError) -> str:
    """The server's message without the statement and its values."""
    return str(error.orig).strip().splitlines()[0]
