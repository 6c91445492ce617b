"""`run(target, targets)`: the one entry for `axion migrate`. One-shot, idempotent, raises on failure."""

import asyncio
from pathlib import Path
from typing import get_args

from migrations import environment, openfga
from migrations.errors import TargetInvalid
from migrations.layouts import LAYOUTS
from migrations.report import Report
from migrations.roles import provision
from migrations.targets import DatabaseName, Target, Targets

FOLDER = Path(__file__).parent
DATABASES: tuple[DatabaseName, ...] = get_args(DatabaseName)


def run(target: Target, targets: Targets) -> list[Report]:
    """Brings the target up to date and says what changed. MigrationError on the first failure; what ran before stays.

    `all` does what is configured: the roles (without an admin URL a DBA has made them), every database, OpenFGA. Not to
    be called from a running event loop: use a thread there.
    """
    if target == "all":
        reports = [_roles(targets)] if targets.admin_url is not None else []
        reports += [_database(name, targets) for name in targets.databases]
        return [*reports, _openfga(targets)] if targets.openfga is not None else reports
    if target == "openfga":
        return [_openfga(targets)]
    if target == "roles":
        return [_roles(targets)]
    if target in DATABASES:
        return [_database(target, targets)]
    raise TargetInvalid(f"there is no migration target {target}: choose one of {', '.join(get_args(Target))}")


def _roles(targets: Targets) -> Report:
    return Report("roles", tuple(provision(targets)))


def _database(name: DatabaseName, targets: Targets) -> Report:
    database = targets.databases.get(name)
    if database is None:
        raise TargetInvalid(f"database {name} is not configured: set its URLs under AXION_DATABASES__{name.upper()}")
    layout = LAYOUTS[name]
    return Report(name, tuple(environment.upgrade(database, FOLDER / layout.history, layout.grants)))


def _openfga(targets: Targets) -> Report:
    """Records the model in `axion_gen` and reads the catalog there, so that database comes first."""
    if targets.openfga is None:
        raise TargetInvalid("OpenFGA is not configured: set AXION_OPENFGA__URL")
    axion_gen = targets.databases.get("axion_gen")
    if axion_gen is None:
        raise TargetInvalid("OpenFGA's models are recorded in axion_gen: set AXION_DATABASES__AXION_GEN__MIGRATE_URL")
    server = targets.openfga
    return asyncio.run(
        openfga.run(
            url=server.url,
            token=server.token,
            store_name=server.store_name,
            model_json=server.model_json,
            axion_gen=axion_gen.url,
        )
    )
