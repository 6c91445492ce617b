"""`run(target, targets)`: the one entry for `axion migrate`. One-shot, idempotent, raises on failure."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import get_args

from migrations import clickhouse, environment, openfga
from migrations.errors import TargetInvalid
from migrations.layouts import LAYOUTS
from migrations.report import Report
from migrations.roles import provision
from migrations.targets import Database, DatabaseName, Target, Targets

FOLDER = Path(__file__).parent
DATABASES: tuple[DatabaseName, ...] = get_args(DatabaseName)


def run(target: Target, targets: Targets, *, tell: Callable[[Report], None] | None = None) -> list[Report]:
    """Brings the target up to date and says what changed. MigrationError on the first failure; what ran before stays.

    `tell` gets each report as soon as it is known, so that those before a failure are not lost. `all` does what is
    configured, in an order that works from nothing: the roles (without an admin URL a DBA has made them), databases,
    ClickHouse, OpenFGA. Not to be called from a running event loop: use a thread there.
    """
    reports: list[Report] = []
    for each in _configured(targets) if target == "all" else [target]:
        report = _one(each, targets)
        reports.append(report)
        if tell is not None:
            tell(report)
    return reports


def _configured(targets: Targets) -> list[Target]:
    found: list[Target] = ["roles"] if targets.admin_url is not None else []
    found += targets.databases
    found += ["clickhouse"] if targets.clickhouse is not None else []
    found += ["openfga"] if targets.openfga is not None else []
    return found


def _one(target: Target, targets: Targets) -> Report:
    if target == "roles":
        return Report(target, tuple(provision(targets)))
    if target == "clickhouse":
        return _clickhouse(targets)
    if target == "openfga":
        return _openfga(targets)
    if target in DATABASES:
        layout = LAYOUTS[target]
        changes = environment.upgrade(_database(target, targets), FOLDER / layout.history, layout.grants)
        return Report(target, tuple(changes))
    raise TargetInvalid(f"there is no migration target {target}: choose one of {', '.join(get_args(Target))}")


def _database(name: DatabaseName, targets: Targets) -> Database:
    database = targets.databases.get(name)
    if database is None:
        raise TargetInvalid(f"database {name} is not configured: set its URLs under AXION_DATABASES__{name.upper()}")
    return database


def _clickhouse(targets: Targets) -> Report:
    if targets.clickhouse is None:
        raise TargetInvalid("ClickHouse is not configured: set AXION_CLICKHOUSE__URL")
    server = targets.clickhouse
    return asyncio.run(
        clickhouse.run(
            url=server.url,
            username=server.username,
            password=server.password,
            database=server.database,
            replicated=server.replicated,
            init_sql=server.init_sql,
        )
    )


def _openfga(targets: Targets) -> Report:
    """Records the model in `axion_gen` and reads the catalog there, so that database comes first."""
    if targets.openfga is None:
        raise TargetInvalid("OpenFGA is not configured: set AXION_OPENFGA__URL")
    server, axion_gen = targets.openfga, _database("axion_gen", targets)
    return asyncio.run(
        openfga.run(
            url=server.url,
            token=server.token,
            store_name=server.store_name,
            model_json=server.model_json,
            axion_gen=axion_gen.url,
        )
    )
