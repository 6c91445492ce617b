"""Stand-ins for remote warehouses, started on request: `axion stack up --with ...`, and the tests' fixtures."""

import os
from collections.abc import Callable, Collection, Mapping

from deploy.local.errors import StackError
from deploy.local.part import Part
from deploy.local.paths import StatePaths, cache_folder
from deploy.local.ports import Ports
from deploy.local.progress import Progress
from deploy.local.provision.artifact import provide
from deploy.local.provision.debian_root import DebianRoot
from deploy.local.provision.local_bigquery import LOCAL_BIGQUERY
from deploy.local.provision.spark import SPARK
from deploy.local.secrets import Secrets
from deploy.local.servers import bigquery, flight_sql, impala


def _bigquery(paths: StatePaths, ports: Ports, secrets: Secrets, progress: Progress) -> Part:
    cache = cache_folder()
    root = provide(DebianRoot(os.environ.get("AXION_DEBIAN_MIRROR")), cache=cache, progress=progress).folder
    packages = provide(LOCAL_BIGQUERY, cache=cache, progress=progress).folder
    return bigquery.part(root, packages, paths, ports)


def _impala(paths: StatePaths, ports: Ports, secrets: Secrets, progress: Progress) -> Part:
    spark = provide(SPARK, cache=cache_folder(), progress=progress).folder
    return impala.part(spark, paths, ports, secrets)


_PARTS: Mapping[str, Callable[[StatePaths, Ports, Secrets, Progress], Part]] = {
    bigquery.NAME: _bigquery,
    flight_sql.NAME: lambda paths, ports, secrets, _: flight_sql.part(paths, ports, secrets),
    impala.NAME: _impala,
}
EMULATORS = tuple(_PARTS)


def checked(names: Collection[str]) -> tuple[str, ...]:
    """Converts names as a user gives them (`flight-sql`) to part names. Raises `StackError` for an unknown one."""
    wanted = tuple(dict.fromkeys(name.strip().replace("-", "_") for name in names))
    for name in wanted:
        if name not in EMULATORS:
            known = ", ".join(part.replace("_", "-") for part in EMULATORS)
            raise StackError(f"there is no emulator {name!r}: choose of {known}")
    return wanted


def part_of(name: str, paths: StatePaths, ports: Ports, secrets: Secrets, progress: Progress) -> Part:
    """Builds what it needs if that is not in the cache yet."""
    return _PARTS[name](paths, ports, secrets, progress)
