"""The migrated databases match the models: a database created from the models has the same catalog."""

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import MetaData, NullPool, create_engine

from loaders.tables.auradb import Auradb
from loaders.tables.axion_gen import AxionGen
from loaders.tables.axion_sense import AxionSense
from loaders.tables.axion_sense_tasks import AxionSenseTasks
from loaders.tables.powernode import Powernode
from loaders.tables.uuid7 import uuid7
from migrations.runner import run
from migrations.targets import DatabaseName, Targets
from tests.migrations.cluster import NAMES, admin_connection, connection_as, dropped_afterwards, fresh_targets

MODELS: dict[DatabaseName, MetaData] = {
    "axion_sense": AxionSense.metadata,
    "axion_sense_tasks": AxionSenseTasks.metadata,
    "axion_gen": AxionGen.metadata,
    "auradb": Auradb.metadata,
    "powernode": Powernode.metadata,
}
OURS = """
    WITH ours AS (
        SELECT c.oid, c.relkind, n.nspname || '.' || c.relname AS name
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'procrastinate', 'partman', 'migrations')
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
    )
"""
CATALOG = {
    "tables": "SELECT name, obj_description(oid, 'pg_class'), pg_get_partkeydef(oid) FROM ours ORDER BY 1",
    "columns": """
        SELECT name, attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
               pg_get_expr(adbin, adrelid), col_description(ours.oid, attnum)
        FROM ours JOIN pg_attribute ON attrelid = ours.oid AND attnum > 0 AND NOT attisdropped
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum ORDER BY name, attnum""",
    "constraints": """
        SELECT name, conname, pg_get_constraintdef(c.oid) FROM ours JOIN pg_constraint c ON conrelid = ours.oid
        ORDER BY 1, 2""",
    "indexes": "SELECT name, pg_get_indexdef(indexrelid) FROM ours JOIN pg_index ON indrelid = ours.oid ORDER BY 1, 2",
}


@pytest.fixture(scope="module")
def from_models(admin_url: str) -> Iterator[Targets]:
    with dropped_afterwards(fresh_targets(admin_url)) as targets:
        run("roles", targets)
        for name, metadata in MODELS.items():
            engine = create_engine(targets.databases[name].url, poolclass=NullPool)
            metadata.create_all(engine)
            engine.dispose()
        yield targets


@pytest.mark.parametrize("part", CATALOG)
@pytest.mark.parametrize("name", NAMES)
def test_models_match_the_migrated_database(
    migrated: Targets, from_models: Targets, name: DatabaseName, part: str
) -> None:
    migrated_rows, model_rows = (
        catalog_rows(targets, targets.databases[name].name, OURS + CATALOG[part]) for targets in (migrated, from_models)
    )
    assert len(model_rows) >= len(MODELS[name].tables) or part == "indexes"
    assert migrated_rows == model_rows


def catalog_rows(targets: Targets, database: str, query: str) -> list[tuple[object, ...]]:
    with admin_connection(targets, database) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize(
    ("name", "index", "definition"),
    [
        (
            "auradb",
            "public.ix_rag_chunks_embedding",
            "USING hnsw (embedding vector_cosine_ops) WITH (m='32', ef_construction='200')",
        ),
        ("axion_sense", "road_data.ix_holds_location", "USING gist (location)"),
        ("axion_sense", "public.ix_users_profile_data", "USING gin (profile_data jsonb_path_ops)"),
    ],
)
def test_special_indexes(migrated: Targets, name: DatabaseName, index: str, definition: str) -> None:
    with admin_connection(migrated, migrated.databases[name].name) as connection:
        row = connection.execute("SELECT pg_get_indexdef(%s::regclass)", (index,)).fetchone()
    assert row is not None
    assert str(row[0]).endswith(definition)


def test_built_in_roles_and_numbers_of_custom_ones(migrated: Targets) -> None:
    database = migrated.databases["axion_gen"]
    with connection_as(database.app, database) as connection, connection.transaction(force_rollback=True):
        assert connection.execute("SELECT id, name, is_built_in FROM roles ORDER BY id").fetchall() == [
            (1, "Admin", True),
            (2, "Analyst", True),
        ]
        row = connection.execute("INSERT INTO roles (name) VALUES ('custom') RETURNING id >= 100").fetchone()
        assert row == (True,)


@pytest.mark.parametrize(
    ("nonce", "tag", "key_version", "refused_by"),
    [
        (b"n" * 12, b"t" * 16, 1, None),
        (None, b"t" * 16, 1, "ck_data_sources_encrypted_together"),
        (b"n" * 12, None, 1, "ck_data_sources_encrypted_together"),
        (b"n" * 12, b"t" * 16, None, "ck_data_sources_encrypted_together"),
        (b"n" * 11, b"t" * 16, 1, "ck_data_sources_encrypted_sizes"),
        (b"n" * 12, b"t" * 15, 1, "ck_data_sources_encrypted_sizes"),
    ],
)
def test_credentials_are_whole_or_absent(
    migrated: Targets, nonce: bytes | None, tag: bytes | None, key_version: int | None, refused_by: str | None
) -> None:
    database = migrated.databases["axion_gen"]
    insert = (
        "INSERT INTO data_sources (id, name, connector_type, encrypted_credentials, nonce, tag, key_version)"
        " VALUES (%s, 'x', 'clickhouse', 'secret', %s, %s, %s)"
    )
    with connection_as(database.app, database) as connection, connection.transaction(force_rollback=True):
        try:
            connection.execute(insert, (uuid7(), nonce, tag, key_version))
            constraint = None
        except psycopg.errors.CheckViolation as error:
            constraint = error.diag.constraint_name
    assert constraint == refused_by


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE agent_audit_entries SET outcome = 'failed'",
        "DELETE FROM agent_audit_entries",
        "TRUNCATE agent_audit_entries",
        "UPDATE agent_artifact_versions SET content = '{}'",
    ],
)
def test_what_agents_did_is_never_changed(migrated: Targets, statement: str) -> None:
    database = migrated.databases["axion_gen"]
    with connection_as(database.migrate, database) as connection, connection.transaction(force_rollback=True):
        connection.execute("INSERT INTO users (external_auth_id) VALUES ('x')")
        connection.execute(
            "INSERT INTO agent_audit_entries (id, subject, agent, action) VALUES (%s, 'x', 'explorer', 'look')",
            (uuid7(),),
        )
        connection.execute(
            "INSERT INTO agent_artifact_versions (id, owner_subject, artifact_id, kind, title, content)"
            " VALUES (%s, 'x', %s, 'chart', 'x', '{}')",
            (uuid7(), uuid7()),
        )
        with pytest.raises(psycopg.errors.RestrictViolation, match="never changed"):
            connection.execute(statement)


def month(index: int) -> datetime:
    return datetime(index // 12, index % 12 + 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("table", ["track_logs", "frame_batches"])
def test_rows_land_in_the_partition_of_their_month(migrated: Targets, table: str) -> None:
    database = migrated.databases["axion_sense"]
    now = datetime.now(UTC)
    this_month = now.year * 12 + now.month - 1
    with connection_as(database.app, database) as connection, connection.transaction(force_rollback=True):
        connection.execute("INSERT INTO organizations (id, name, code) VALUES (1, 'x', 'x')")
        connection.execute("INSERT INTO users (id, external_auth_id) VALUES (1, 'x')")
        for created_at in (month(this_month), month(this_month + 1), month(this_month + 4), month(this_month - 240)):
            if table == "track_logs":
                connection.execute(
                    "INSERT INTO road_data.track_logs (id, organization_id, user_id, created_at) VALUES (%s, 1, 1, %s)",
                    (uuid7(), created_at),
                )
            else:
                connection.execute(
                    "INSERT INTO road_data.frame_batches (id, track_id, created_at) VALUES (%s, %s, %s)",
                    (uuid7(), uuid7(), created_at),
                )
        partitions = connection.execute(
            f"SELECT tableoid::regclass::text FROM road_data.{table} ORDER BY created_at"
        ).fetchall()
    expected = [f"road_data.{table}_default"] + [
        f"road_data.{table}_p{month(this_month + ahead):%Y%m%d}" for ahead in (0, 1, 4)
    ]
    assert [name for (name,) in partitions] == expected


def test_worker_maintains_partitions_and_the_app_may_not(migrated: Targets) -> None:
    database = migrated.databases["axion_sense"]
    now = datetime.now(UTC)
    last = f"road_data.track_logs_p{month(now.year * 12 + now.month - 1 + 4):%Y%m%d}"
    with connection_as(database.migrate, database) as owner:
        owner.execute(f"DROP TABLE {last}")
    maintain = "SELECT road_data.run_partition_maintenance()"
    with connection_as(database.app, database) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(maintain)
    with connection_as(database.worker, database) as connection:
        connection.execute(maintain)
        assert connection.execute("SELECT to_regclass(%s) IS NOT NULL", (last,)).fetchone() == (True,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CALL partman.run_maintenance_proc()")


def test_partitions_are_kept_for_ever_and_made_without_rows(migrated: Targets) -> None:
    with admin_connection(migrated, migrated.databases["axion_sense"].name) as connection:
        assert connection.execute(
            "SELECT parent_table, control, partition_interval, premake, retention, infinite_time_partitions,"
            " automatic_maintenance FROM partman.part_config ORDER BY 1"
        ).fetchall() == [
            (f"road_data.{table}", "created_at", "1 mon", 4, None, True, "on")
            for table in ("frame_batches", "track_logs")
        ]
