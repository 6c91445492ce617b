"""One-shot, idempotent, one at a time, all or nothing."""

import multiprocessing
import shutil
import time
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from migrations import environment
from migrations.environment import history
from migrations.errors import MigrationFailed, TargetInvalid
from migrations.layouts import LAYOUTS
from migrations.lock import LOCK_KEY
from migrations.report import Report
from migrations.runner import FOLDER, run
from migrations.targets import ClickHouse, Database, OpenFga, Targets
from tests.migrations.cluster import NAMES, admin_connection, connection_as

WAIT_SECONDS = 30


def revisions_of(folder: Path) -> tuple[str, ...]:
    return tuple(f"revision {script.revision}" for script in reversed(list(history(folder).walk_revisions())))


def test_all_from_empty_then_nothing_to_do(empty: Targets) -> None:
    first = run("all", empty)
    assert [report.target for report in first] == ["roles", *NAMES]
    assert {report.target: report.changes for report in first[1:]} == {
        name: revisions_of(FOLDER / LAYOUTS[name].history) for name in NAMES
    }
    assert all(f"database {database.name} created" in first[0].changes for database in empty.databases.values())

    assert run("all", empty) == [Report(target) for target in ("roles", *NAMES)]


def test_all_without_admin_leaves_roles_alone(migrated: Targets) -> None:
    assert run("all", Targets(migrated.databases)) == [Report(name) for name in NAMES]


def test_one_database(empty: Targets) -> None:
    run("roles", empty)
    [report] = run("powernode", empty)
    assert report == Report("powernode", revisions_of(FOLDER / "powernode"))
    with admin_connection(empty, empty.databases["axion_gen"].name) as connection:
        assert connection.execute("SELECT to_regclass('public.data_sources')").fetchone() == (None,)


def test_half_made_cluster_is_completed(empty: Targets) -> None:
    database = empty.databases["axion_gen"]
    with admin_connection(empty) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database.name)))
        connection.execute(sql.SQL("CREATE ROLE {} CREATEDB").format(sql.Identifier(database.app.name)))
    run("all", empty)
    with connection_as(database.app, database) as connection:
        assert connection.execute("SELECT count(*) FROM roles").fetchone() == (2,)
        assert connection.execute("SELECT rolcreatedb FROM pg_roles WHERE rolname = current_user").fetchone() == (
            False,
        )


@pytest.mark.parametrize(("target", "lock_database"), [("axion_gen", "axion_gen"), ("roles", None)])
def test_second_runner_waits_then_finds_nothing(empty: Targets, target: str, lock_database: str | None) -> None:
    if lock_database is not None:
        run("roles", empty)
    name = empty.databases["axion_gen"].name if lock_database is not None else None
    with (
        ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool,
        admin_connection(empty, name) as gate,
    ):
        gate.execute("SELECT pg_advisory_lock(%s)", (LOCK_KEY,))
        runners: list[Future[list[Report]]] = [pool.submit(run, target, empty) for _ in range(2)]  # type: ignore[arg-type]
        try:
            wait_for_lock_waiters(gate, 2)
        finally:
            gate.execute("SELECT pg_advisory_unlock(%s)", (LOCK_KEY,))
        (one,), (other,) = (runner.result(timeout=WAIT_SECONDS) for runner in runners)
    nothing, all_of_it = sorted((one.changes, other.changes), key=len)
    assert nothing == ()
    if target == "axion_gen":
        assert all_of_it == revisions_of(FOLDER / "axion_gen")
    else:
        assert len(all_of_it) == len(set(all_of_it)) > len(NAMES)


def wait_for_lock_waiters(connection: psycopg.Connection, count: int) -> None:
    """PostgreSQL gives no event for a lock that is waited for: poll its catalog."""
    waiting = """
        SELECT count(*) FROM pg_locks
        WHERE locktype = 'advisory' AND NOT granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while connection.execute(waiting).fetchone() != (count,):
        assert time.monotonic() < deadline, f"fewer than {count} runners wait for the lock"
        time.sleep(0.02)


BROKEN = '''
"""Makes a table and fails."""
from alembic import op
revision = "9002_broken"
down_revision = "9001_good"
def upgrade() -> None:
    op.execute("CREATE TABLE public.half_done (id int)")
    op.execute("SELECT 1 / 0")
'''
GOOD = '''
"""Makes a table."""
from alembic import op
revision = "9001_good"
down_revision = "{down}"
def upgrade() -> None:
    op.execute("CREATE TABLE public.done (id int)")
'''


def with_revisions(folder: Path, *sources: str) -> Path:
    copy = folder / "history"
    shutil.copytree(FOLDER / "axion_gen", copy, ignore=shutil.ignore_patterns("__pycache__"))
    [head] = history(copy).get_heads()
    for number, source in enumerate(sources):
        (copy / f"v900{number}.py").write_text(source.replace("{down}", head))
    return copy


def state(targets: Targets, database: Database) -> tuple[object, ...]:
    with admin_connection(targets, database.name) as connection:
        row = connection.execute(
            "SELECT version_num, to_regclass('public.done') IS NOT NULL, to_regclass('public.half_done') IS NOT NULL"
            " FROM migrations.alembic_version"
        ).fetchone()
    assert row is not None
    return tuple(row)


def test_failing_revision_is_named_and_leaves_nothing(empty: Targets, tmp_path: Path) -> None:
    run("roles", empty)
    database = empty.databases["axion_gen"]
    folder = with_revisions(tmp_path, GOOD, BROKEN)
    with pytest.raises(MigrationFailed) as failure:
        environment.upgrade(database, folder)
    assert str(failure.value) == (
        f"{database.name}: revision 9002_broken failed, nothing of it remains: division by zero"
    )
    assert (failure.value.target, failure.value.step) == (database.name, "revision 9002_broken")
    assert state(empty, database) == ("9001_good", True, False)

    (folder / "v9001.py").write_text(BROKEN.replace("1 / 0", "1 / 1"))
    assert environment.upgrade(database, folder) == ["revision 9002_broken"]
    assert state(empty, database) == ("9002_broken", True, True)


def test_database_ahead_of_the_code_is_refused(empty: Targets, tmp_path: Path) -> None:
    run("roles", empty)
    database = empty.databases["axion_gen"]
    environment.upgrade(database, with_revisions(tmp_path, GOOD))
    with pytest.raises(MigrationFailed, match="9001_good"):
        run("axion_gen", empty)
    assert state(empty, database) == ("9001_good", True, False)


def test_unreachable_server_is_a_failure_without_the_password() -> None:
    url = "postgresql://{}:secret-word@127.0.0.1:1/axion_gen"
    database = Database.of_urls(app_url=url.format("a"), worker_url=url.format("w"), migrate_url=url.format("m"))
    with pytest.raises(MigrationFailed) as failure:
        run("axion_gen", Targets({"axion_gen": database}))
    assert failure.value.step == "connecting"
    assert "secret-word" not in str(failure.value) + repr(database) + repr(Targets({"axion_gen": database}))


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nowhere", "there is no migration target nowhere"),
        ("axion_gen", "database axion_gen is not configured"),
        ("roles", "set AXION_POSTGRES__ADMIN_URL"),
        ("clickhouse", "ClickHouse is not configured"),
        ("openfga", "OpenFGA is not configured"),
    ],
)
def test_impossible_target(target: str, message: str) -> None:
    with pytest.raises(TargetInvalid, match=message):
        run(target, Targets({}))  # type: ignore[arg-type]


def test_reports_before_a_failure_are_told(migrated: Targets, tmp_path: Path) -> None:
    missing = ClickHouse("http://127.0.0.1:1", "default", "", "axion", replicated=False, init_sql=tmp_path / "init.sql")
    told: list[Report] = []
    with pytest.raises(TargetInvalid, match=r"init\.sql cannot be read"):
        run("all", Targets(migrated.databases, clickhouse=missing), tell=told.append)
    assert told == [Report(name) for name in NAMES]


def test_openfga_needs_axion_gen() -> None:
    server = OpenFga("http://127.0.0.1:1", "axion", Path("model.json"))
    with pytest.raises(TargetInvalid, match="database axion_gen is not configured"):
        run("openfga", Targets({}, openfga=server))
