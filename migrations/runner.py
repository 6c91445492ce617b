"""`run(target, targets)`: the one entry for `axion migrate`. One-shot, idempotent, raises on failure."""

from pathlib import Path
from typing import get_args

from migrations import environment
from migrations.errors import TargetInvalid
from migrations.layouts import LAYOUTS
from migrations.report import Report
from migrations.roles import provision
from migrations.targets import DatabaseName, Target, Targets

FOLDER = Path(__file__).parent
DATABASES: tuple[DatabaseName, ...] = get_args(DatabaseName)


def run(target: Target, targets: Targets) -> list[Report]:
    """Brings the target up to date and says what changed. MigrationError on the first failure; what ran before stays.

    `all` does the roles first (unless no admin URL is set: then a DBA has made them), then every database.
    """
    if target == "all":
        first = [_roles(targets)] if targets.admin_url is not None else []
        return first + [_database(name, targets) for name in targets.databases]
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
    return Report(name, tuple(environment.upgrade(database, FOLDER / LAYOUTS[name].history)))
