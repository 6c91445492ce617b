"""Brings ClickHouse up to date: the database, then deploy/clickhouse/init.sql, statement by statement, over HTTP.

Repeatable: what is there is left alone. The SHA-256 of the applied file is recorded in its table `schema_history`.
"""

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loaders.clickhouse.client import ClickHouse
from loaders.errors import AxionError
from loaders.ledger import Ledger
from migrations.clickhouse.statements import statements
from migrations.errors import MigrationFailed, TargetInvalid
from migrations.report import Report

TARGET = "clickhouse"

_DATABASES = "SELECT name FROM system.databases WHERE name = {database:String}"
_TABLES = "SELECT name FROM system.tables WHERE database = {database:String}"
_LAST = "SELECT toString(sha256) AS sha256 FROM schema_history ORDER BY applied_at DESC LIMIT 1"
_RECORD = "INSERT INTO schema_history (sha256) SELECT {sha256:String}"


async def run(
    *,
    url: str,
    username: str,
    password: str,
    database: str,
    replicated: bool,
    init_sql: Path,
    timeout_ms: int = 60_000,
) -> Report:
    """`replicated` is the switch that init.sql describes. The user may make databases and tables.

    `TargetInvalid` when the file cannot be read; `MigrationFailed` names the statement that failed and its line. There
    is no transaction around DDL in ClickHouse: what ran before stays, and the next run goes on from there.
    """
    try:
        script = await asyncio.to_thread(init_sql.read_text, encoding="utf-8")
    except OSError as error:
        raise TargetInvalid(f"{init_sql.name} cannot be read: {error.strerror}") from error
    steps = list(statements(script, replicated=replicated))
    ledger = Ledger()
    changes: list[str] = []
    server = ClickHouse.open(url, username, password, None, timeout_ms=timeout_ms)
    try:
        with _step("creating the database"):
            known = await server.query(_DATABASES, {"database": database}, ledger=ledger)
            if known.num_rows == 0:
                await server.command(f"CREATE DATABASE IF NOT EXISTS {_quoted(database)}", ledger=ledger)
                changes.append(f"created database {database}")
    finally:
        await server.close()
    client = ClickHouse.open(url, username, password, database, timeout_ms=timeout_ms)
    try:
        with _step("listing the tables"):
            before = await _tables(client, database, ledger)
        for statement in steps:
            with _step(f"{init_sql.name}, line {statement.line} ({statement.title} ...)"):
                await client.command(statement.sql, ledger=ledger)
        with _step("recording the version"):
            created = await _tables(client, database, ledger) - before
            changes += [f"created table {name}" for name in sorted(created)]
            if await _record(client, hashlib.sha256(script.encode()).hexdigest(), ledger):
                changes.append(f"recorded {init_sql.name}")
    finally:
        await client.close()
    return Report(TARGET, tuple(changes))


@contextmanager
def _step(name: str) -> Iterator[None]:
    try:
        yield
    except AxionError as error:
        # For operators, so ClickHouse's own words (they have no address and no password) rather than the public ones.
        raise MigrationFailed(TARGET, name, str(error.__cause__ or error)) from error


async def _tables(client: ClickHouse, database: str, ledger: Ledger) -> set[str]:
    rows = await client.query(_TABLES, {"database": database}, ledger=ledger)
    return set(rows.column("name").to_pylist())


async def _record(client: ClickHouse, sha256: str, ledger: Ledger) -> bool:
    """Whether it was needed: the last recorded version is another one."""
    last = (await client.query(_LAST, ledger=ledger)).column("sha256").to_pylist()
    if last == [sha256]:
        return False
    await client.command(_RECORD, {"sha256": sha256}, ledger=ledger)
    return True


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"
