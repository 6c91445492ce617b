"""OpenFGA over its own database of the stack's PostgreSQL; clients need the pre-shared key."""

import os
from pathlib import Path

from deploy.local.command import run_logged
from deploy.local.environment import postgres_url
from deploy.local.part import Part, Probe
from deploy.local.paths import StatePaths
from deploy.local.ports import Ports
from deploy.local.secrets import Secrets
from deploy.local.servers.http import complaint

NAME = "openfga"
DATABASE = ROLE = "axion_sense_permissions"


def migrate(binary: Path, paths: StatePaths, ports: Ports, secrets: Secrets) -> None:
    """Brings OpenFGA's tables to the binary's version. Idempotent; raises `StackError`."""
    run_logged([str(binary), "migrate"], log=paths.log("openfga-migrate"), environment=_datastore(ports, secrets))


def part(binary: Path, ports: Ports, secrets: Secrets) -> Part:
    return Part(
        probe=probe(ports),
        command=(
            str(binary),
            "run",
            f"--http-addr=127.0.0.1:{ports.openfga}",
            f"--grpc-addr=127.0.0.1:{ports.openfga_grpc}",
            "--playground-enabled=false",
            "--metrics-enabled=false",
            "--changelog-horizon-offset=0",
            "--log-format=json",
            "--log-level=warn",
        ),
        environment={
            "PATH": os.environ.get("PATH", os.defpath),
            "OPENFGA_AUTHN_METHOD": "preshared",
            "OPENFGA_AUTHN_PRESHARED_KEYS": secrets.openfga_token,
            **_datastore(ports, secrets),
        },
    )


def probe(ports: Ports) -> Probe:
    address = f"http://127.0.0.1:{ports.openfga}"
    return Probe(NAME, address, lambda: complaint(f"{address}/healthz", expected=b"SERVING"))


def _datastore(ports: Ports, secrets: Secrets) -> dict[str, str]:
    return {
        "OPENFGA_DATASTORE_ENGINE": "postgres",
        "OPENFGA_DATASTORE_URI": postgres_url(f"127.0.0.1:{ports.postgres}", ROLE, secrets.openfga_database, DATABASE)
        + "?sslmode=disable",
    }
