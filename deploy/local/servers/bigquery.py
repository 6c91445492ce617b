"""local-bigquery with the private root's Python, started with that root's dynamic loader: it needs no chroot and no
root rights.
"""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from deploy.local.part import Part, Probe
from deploy.local.paths import StatePaths
from deploy.local.ports import Ports
from deploy.local.provision.local_bigquery import PYTHON
from deploy.local.servers.http import complaint

NAME = "bigquery"
PROJECT = "axion-local"
_SERVE = """
import sys
from duckdb_extensions import import_extension
for extension in ("icu", "ducklake", "spatial"):
    import_extension(extension)
from local_bigquery.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""DuckDB's extensions also come from packages; they are copied to where DuckDB looks for them, below HOME."""


@dataclass(frozen=True, slots=True)
class Address:
    """`endpoint` for jobs and tables, `storage_endpoint` for rows. The emulator has no authentication."""

    endpoint: str
    storage_endpoint: str
    project: str = PROJECT


def address(ports: Ports) -> Address:
    return Address(f"http://127.0.0.1:{ports.bigquery}", f"http://127.0.0.1:{ports.bigquery_grpc}")


def part(root: Path, packages: Path, paths: StatePaths, ports: Ports) -> Part:
    """`root` is the artifact of PostgreSQL's root, `packages` that of local-bigquery."""
    at = address(ports)
    folder = paths.data / NAME
    folder.mkdir(exist_ok=True)
    machine = platform.machine()
    loader = next((root / "lib").glob("ld-linux-*.so.*"), root / "lib64" / "ld-linux-x86-64.so.2")
    return Part(
        probe=Probe(
            NAME, at.endpoint, lambda: complaint(f"{at.endpoint}/bigquery/v2/projects/{PROJECT}/datasets", expected=b"")
        ),
        command=(
            str(loader),
            "--library-path",
            str(root / "usr" / "lib" / f"{machine}-linux-gnu"),
            str(root / "usr" / "bin" / f"python{PYTHON}"),
            "-c",
            _SERVE,
            "serve",
            "--host=127.0.0.1",
            f"--port={ports.bigquery}",
            f"--grpc-port={ports.bigquery_grpc}",
            f"--project={PROJECT}",
            f"--data-dir={folder}",
        ),
        environment={
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONHOME": str(root / "usr"),
            "PYTHONPATH": str(packages / "site"),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
    )
