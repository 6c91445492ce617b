"""What each role may not do, statement by statement, and what it needs to be able to do."""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest

from loaders.tables.uuid7 import uuid7
from migrations.runner import run
from migrations.targets import Database, DatabaseName, Role, Targets
from tests.migrations.cluster import NAMES, admin_connection, connection_as, dropped_afterwards, role_of

A_TABLE: dict[DatabaseName, str] = {
    "axion_sense": "road_data.holds",
    "axion_sense_tasks": "public.jobs",
    "axion_gen": "public.data_sources",
    "auradb": "public.rag_chunks",
    "powernode": "public.accounts",
}
REFUSED = [
    "CREATE TABLE public.mine (id int)",
    "CREATE TEMPORARY TABLE mine (id int)",
    "CREATE SCHEMA mine",
    "CREATE VIEW public.mine AS SELECT 1",
    "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE EXTENSION dblink",
    "CREATE DATABASE mine",
    "CREATE ROLE mine",
    "CREATE INDEX ON {table} (created_at)",
    "ALTER TABLE {table} ADD COLUMN mine int",
    "ALTER TABLE {table} OWNER TO CURRENT_USER",
    "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "COMMENT ON TABLE {table} IS 'mine'",
    "DROP TABLE {table}",
    "TRUNCATE {table}",
    "TRUNCATE {table} CASCADE",
    "DROP SCHEMA public CASCADE",
    "SELECT * FROM migrations.alembic_version",
    "SET ROLE {migrate}",
    "COPY {table} TO PROGRAM 'true'",
    "SELECT pg_read_file('postgresql.conf')",
]


@pytest.mark.parametrize("statement", REFUSED)
@pytest.mark.parametrize("kind", ["app", "worker"])
@pytest.mark.parametrize("name", NAMES)
def test_no_ddl(migrated: Targets, name: DatabaseName, kind: str, statement: str) -> None:
    database = migrated.databases[name]
    with connection_as(role_of(database, kind), database) as connection:
        before = fingerprint(migrated, name)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.format(table=A_TABLE[name], migrate=database.migrate.name))
        assert fingerprint(migrated, name) == before


def fingerprint(targets: Targets, name: DatabaseName) -> Sequence[object]:
    with admin_connection(targets, targets.databases[name].name) as connection:
        return connection.execute("SELECT relname, relowner, relnatts FROM pg_class ORDER BY oid").fetchall()


def may_connect(own: DatabaseName, kind: str, other: DatabaseName) -> bool:
    """reference/postgresql-platform.md: the sense worker has access to `axion_sense_tasks`; nobody else crosses."""
    return own == other or (own, kind, other) == ("axion_sense", "worker", "axion_sense_tasks")


@pytest.mark.parametrize("other", NAMES)
@pytest.mark.parametrize("kind", ["app", "worker", "migrate"])
@pytest.mark.parametrize("own", NAMES)
def test_only_into_its_own_database(migrated: Targets, own: DatabaseName, kind: str, other: DatabaseName) -> None:
    role = role_of(migrated.databases[own], kind)
    if may_connect(own, kind, other):
        with connection_as(role, migrated.databases[other]) as connection:
            assert connection.execute("SELECT current_database()").fetchone() == (migrated.databases[other].name,)
    else:
        with (
            pytest.raises(psycopg.OperationalError, match="permission denied for database"),
            connection_as(role, migrated.databases[other]),
        ):
            pass


@pytest.mark.parametrize("kind", ["app", "worker"])
def test_rows_may_be_written_where_the_reference_says(migrated: Targets, kind: str) -> None:
    gen = migrated.databases["axion_gen"]
    with connection_as(role_of(gen, kind), gen) as connection, connection.transaction(force_rollback=True):
        key = uuid7()
        connection.execute("INSERT INTO data_sources (id, name, connector_type) VALUES (%s, 'x', 'clickhouse')", (key,))
        connection.execute("UPDATE data_sources SET description = 'y' WHERE id = %s", (key,))
        connection.execute("INSERT INTO users (external_auth_id) VALUES ('someone')")
        assert connection.execute("DELETE FROM data_sources WHERE id = %s", (key,)).rowcount == 1

    sense = migrated.databases["axion_sense"]
    with connection_as(role_of(sense, kind), sense) as connection, connection.transaction(force_rollback=True):
        connection.execute("INSERT INTO organizations (id, name, code) VALUES (1, 'x', 'x')")
        connection.execute(
            "INSERT INTO road_data.holds (organization_id, location, message)"
            " VALUES (1, ST_SetSRID(ST_MakePoint(37.6, 55.7, 120), 4326), 'x')"
        )
        assert connection.execute("SELECT ST_AsText(location) FROM road_data.holds").fetchall() == [
            ("POINT Z (37.6 55.7 120)",)
        ]


def test_later_tables_are_covered(migrated: Targets) -> None:
    database = migrated.databases["axion_sense"]
    with connection_as(database.migrate, database) as owner:
        owner.execute("CREATE TABLE planner.later (id bigint GENERATED ALWAYS AS IDENTITY, note text)")
        try:
            for role in (database.app, database.worker):
                with connection_as(role, database) as connection:
                    connection.execute("INSERT INTO planner.later (note) VALUES ('x')")
                    connection.execute("DELETE FROM planner.later")
                    with pytest.raises(psycopg.errors.InsufficientPrivilege):
                        connection.execute("TRUNCATE planner.later")
        finally:
            owner.execute("DROP TABLE planner.later")


def test_extension_tables_belong_to_nobody_but_the_admin(migrated: Targets) -> None:
    database = migrated.databases["axion_sense"]
    with connection_as(database.app, database) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM spatial_ref_sys")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT * FROM partman.part_config")


def test_tasks_app_defers_and_asks_to_cancel(migrated: Targets) -> None:
    database = migrated.databases["axion_sense_tasks"]
    job, now = uuid7(), datetime.now(UTC)
    with connection_as(database.app, database) as connection, connection.transaction(force_rollback=True):
        [(deferred,)] = connection.execute(
            "SELECT unnest(procrastinate_defer_jobs_v1(ARRAY[ROW('q', 't', 0, NULL, NULL, '{}', %s)]"
            "::procrastinate_job_to_defer_v1[]))",
            (now,),
        ).fetchall()
        connection.execute(
            "INSERT INTO jobs (id, kind, subject, procrastinate_job_id) VALUES (%s, 'k', 's', %s)", (job, deferred)
        )
        connection.execute("INSERT INTO job_events (job_id, sequence, kind) VALUES (%s, 1, 'state')", (job,))
        connection.execute("UPDATE jobs SET cancel_requested_at = now() WHERE id = %s", (job,))
        statuses = "SELECT status::text FROM procrastinate_jobs WHERE id = %s"
        assert connection.execute(statuses, (deferred,)).fetchone() == ("todo",)


def test_roles_renamed_in_the_settings_get_everything(empty: Targets) -> None:
    run("all", empty)
    renamed = {
        name: replace(database, app=Role(database.app.name + "_2", "x"), worker=Role(database.worker.name + "_2", "x"))
        for name, database in empty.databases.items()
    }
    with dropped_afterwards(Targets(renamed, empty.admin_url)) as targets:
        run("all", targets)
        tasks, sense = targets.databases["axion_sense_tasks"], targets.databases["axion_sense"]
        with connection_as(tasks.app, tasks) as connection:
            connection.execute("INSERT INTO jobs (id, kind, subject) VALUES (%s, 'k', 's')", (uuid7(),))
        with connection_as(sense.worker, sense) as connection:
            connection.execute("SELECT road_data.run_partition_maintenance()")
            assert connection.execute("SELECT count(*) FROM road_data.track_logs").fetchone() == (0,)
        with connection_as(sense.worker, tasks) as connection:
            assert connection.execute("DELETE FROM jobs").rowcount == 1


def test_passwords_are_those_of_the_urls_and_follow_them(empty: Targets) -> None:
    run("roles", empty)
    assert all(verifies(empty, role) for database in empty.databases.values() for role in roles_of(database))
    changed = {name: replace(base, app=Role(base.app.name, "another")) for name, base in empty.databases.items()}
    run("roles", replace(empty, databases=changed))
    assert not any(verifies(empty, database.app) for database in empty.databases.values())
    assert all(verifies(empty, role) for database in changed.values() for role in roles_of(database))


def roles_of(database: Database) -> tuple[Role, ...]:
    return database.app, database.worker, database.migrate


def verifies(targets: Targets, role: Role) -> bool:
    """RFC 5802: the server keeps H(HMAC(PBKDF2(password, salt), "Client Key")). Works where logins are trusted, too."""
    assert role.password is not None
    with admin_connection(targets) as connection:
        row = connection.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", (role.name,)).fetchone()
    assert row is not None
    match = re.fullmatch(r"SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):.+", row[0])
    assert match is not None
    iterations, salt, stored_key = int(match[1]), base64.b64decode(match[2]), base64.b64decode(match[3])
    salted = hashlib.pbkdf2_hmac("sha256", role.password.encode(), salt, iterations)
    return hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest() == stored_key


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM jobs",
        "DELETE FROM job_events",
        "UPDATE job_events SET kind = 'x'",
        "DELETE FROM procrastinate_jobs",
        "UPDATE procrastinate_jobs SET args = '{}'",
        "SELECT procrastinate_cancel_job_v1(1, true, false)",
        "SELECT * FROM procrastinate_events",
        "UPDATE procrastinate_jobs SET task_name = 'x'",
        "SELECT * FROM procrastinate_workers",
        "SELECT * FROM procrastinate_periodic_defers",
        "SELECT procrastinate_register_worker_v1()",
        "SELECT * FROM procrastinate_fetch_job_v2(NULL, 1)",
    ],
)
def test_tasks_app_is_no_worker(migrated: Targets, statement: str) -> None:
    database = migrated.databases["axion_sense_tasks"]
    with (
        connection_as(database.app, database) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement)


@pytest.mark.parametrize("own", ["axion_sense_tasks", "axion_sense"])
def test_workers_run_the_queue(migrated: Targets, own: DatabaseName) -> None:
    tasks = migrated.databases["axion_sense_tasks"]
    with (
        connection_as(migrated.databases[own].worker, tasks) as connection,
        connection.transaction(force_rollback=True),
    ):
        [(worker,)] = connection.execute("SELECT procrastinate_register_worker_v1()").fetchall()
        connection.execute(
            "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('q', 't', 0, NULL, NULL, '{}', NULL)]"
            "::procrastinate_job_to_defer_v1[])"
        )
        [(job, status)] = connection.execute(
            "SELECT id, status::text FROM procrastinate_fetch_job_v2(NULL, %s)", (worker,)
        ).fetchall()
        assert status == "doing"
        connection.execute("SELECT procrastinate_finish_job_v1(%s, 'succeeded', true)", (job,))
        connection.execute("DELETE FROM jobs")


@pytest.mark.parametrize("name", NAMES)
def test_public_holds_nothing(migrated: Targets, name: DatabaseName) -> None:
    with admin_connection(migrated, migrated.databases[name].name) as connection:
        assert (
            connection.execute(
                "SELECT has_database_privilege('public', current_database(), 'CONNECT'),"
                " has_database_privilege('public', current_database(), 'TEMPORARY'),"
                " has_schema_privilege('public', 'public', 'USAGE'),"
                " has_schema_privilege('public', 'public', 'CREATE'),"
                " has_schema_privilege('public', 'migrations', 'USAGE')"
            ).fetchone()
            == (False,) * 5
        )


@pytest.mark.parametrize("name", NAMES)
def test_slow_statements_are_logged_without_values(migrated: Targets, name: DatabaseName) -> None:
    with admin_connection(migrated, migrated.databases[name].name) as connection:
        assert [
            connection.execute(f"SHOW {parameter}").fetchone()
            for parameter in ("log_min_duration_statement", "log_parameter_max_length", "timezone")
        ] == [("250ms",), ("0",), ("UTC",)]
