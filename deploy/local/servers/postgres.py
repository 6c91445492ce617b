"""PostgreSQL in the private root, as a user of its own; clients come over loopback TCP with passwords (SCRAM) only."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT

from deploy.local.environment import admin_url
from deploy.local.errors import StackError
from deploy.local.part import Part, Probe
from deploy.local.paths import StatePaths
from deploy.local.ports import Ports
from deploy.local.privilege import as_root, may_mount
from deploy.local.provision.debian_root import POSTGRES_BIN, UID
from deploy.local.secrets import Secrets

NAME = "postgres"
STOP_SIGNAL = SIGINT
"""Postgres' fast shutdown: SIGTERM would wait for every client to leave."""
STOP_SECONDS = 30.0
_ENTER = Path(__file__).with_name("enter_root.sh")
_CLUSTER = "/var/lib/axion/cluster"
_INITIALISE = f"""
set -eu
umask 077
cd /var/lib/axion
[ -s cluster/PG_VERSION ] && exit 0
rm -rf cluster.partial password
cat > password
{POSTGRES_BIN}/initdb -D cluster.partial -U postgres --pwfile=password --auth=scram-sha-256 \
    --encoding=UTF8 --locale=C.UTF-8 --locale-provider=builtin --data-checksums
rm password
mv cluster.partial cluster
"""
_SMALL_SHM = 1 << 28
"""With less than 256 MiB of /dev/shm (a container has 64) parallel queries would fail midway, so files are mapped
instead.
"""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The cluster of one stack. `root` is the shared artifact, which is never written to."""

    root: Path
    paths: StatePaths
    ports: Ports
    secrets: Secrets
    mounts: bool
    """Whether the data are bind-mounted into the root in a private namespace; otherwise a hard-linked copy of the root
    has them.
    """

    @property
    def data(self) -> Path:
        return self.paths.data / NAME

    def initialise(self) -> None:
        """Creates the cluster if it does not exist; an incomplete one is created again. Raises `StackError`."""
        self.data.mkdir(exist_ok=True)
        made = subprocess.run(
            self._inside("-", "/bin/sh", "-c", _INITIALISE),
            input=self.secrets.postgres_admin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=_environment(),
        )
        if made.returncode != 0:
            raise StackError(f"initdb failed with exit code {made.returncode}:\n{made.stdout.strip()}")

    def part(self) -> Part:
        pid_file = self.paths.parts / f"{NAME}.pid"
        options = [word for name, value in self._options().items() for word in ("-c", f"{name}={value}")]
        return Part(
            probe=probe(self.ports, self.secrets),
            command=tuple(self._inside(str(pid_file), f"{POSTGRES_BIN}/postgres", "-D", _CLUSTER, *options)),
            environment=_environment(),
            stop_signal=STOP_SIGNAL,
            grace_seconds=STOP_SECONDS,
            pid_file=pid_file,
        )

    def ensure_database(self, database: str, *, owner: str, password: str) -> None:
        """A database with a login role that owns it and nobody else may connect to. Idempotent."""
        import psycopg
        from psycopg import sql

        role, name = sql.Identifier(owner), sql.Identifier(database)
        secret = sql.Literal(password)
        with psycopg.connect(
            admin_url(f"127.0.0.1:{self.ports.postgres}", self.secrets), autocommit=True
        ) as connection:
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (owner,)).fetchone() is None:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, secret))
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, role))
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))

    def _inside(self, pid_file: str, *command: str) -> list[str]:
        how = "mount" if self.mounts else "copy"
        enter = ["/bin/sh", str(_ENTER), str(self.root), str(self.data), str(UID), how, pid_file, *command]
        return as_root(*(["unshare", "-m", *enter] if self.mounts else enter))

    def _options(self) -> dict[str, str]:
        durable = not self.paths.name.startswith("test")
        return {
            "listen_addresses": "127.0.0.1",
            "port": str(self.ports.postgres),
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "256MB",
            "maintenance_work_mem": "256MB",
            "work_mem": "16MB",
            "max_wal_size": "2GB",
            "random_page_cost": "1.1",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "password_encryption": "scram-sha-256",
            "dynamic_shared_memory_type": "posix" if self.mounts and _roomy_shm() else "mmap",
            # A test stack's data is thrown away, so it need not survive a power cut.
            "fsync": "on" if durable else "off",
            "synchronous_commit": "on" if durable else "off",
        }


def probe(ports: Ports, secrets: Secrets) -> Probe:
    address = f"127.0.0.1:{ports.postgres}"

    def complaint() -> str | None:
        import psycopg

        try:
            with psycopg.connect(admin_url(address, secrets), connect_timeout=2) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError as error:
            return str(error).strip().splitlines()[-1]
        return None

    return Probe(NAME, address, complaint)


def cluster(root: Path, paths: StatePaths, ports: Ports, secrets: Secrets) -> Cluster:
    """The stack's cluster, kept the way it was first made: in a bound folder, or in a copy of the root."""
    in_copy = (paths.data / NAME / "root").exists()
    return Cluster(root, paths, ports, secrets, mounts=not in_copy and may_mount())


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin", "LANG": "C.UTF-8"}


def _roomy_shm() -> bool:
    return os.path.isdir("/dev/shm") and shutil.disk_usage("/dev/shm").total >= _SMALL_SHM  # noqa: S108 - the kernel's folder
