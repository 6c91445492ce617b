"""local-bigquery, an emulator of BigQuery that needs a newer Python than the host may have: the private root's.

Its packages are unpacked into a folder of the cache, at the versions and hashes of `local_bigquery.txt`.
"""

import hashlib
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.local.command import run_logged

PYTHON = "3.13"
"""Debian trixie's, which comes into the root with PostgreSQL's extensions."""
_REQUIREMENTS = Path(__file__).with_suffix(".txt")
_GLIBC = ("2_5", "2_12", "2_17", "2_24", "2_27", "2_28", "2_31")
"""The platforms that wheels are named after; trixie has 2.41."""


@dataclass(frozen=True, slots=True)
class LocalBigQuery:
    name: str = "local-bigquery"
    sealed: tuple[str, ...] = ("site",)
    hashed: tuple[str, ...] = ("site/local_bigquery",)

    @property
    def inputs(self) -> dict[str, str]:
        return {
            "requirements": hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest(),
            "python": PYTHON,
            "machine": platform.machine(),
            "layout": "1",
        }

    def build(self, folder: Path, log: Path) -> None:
        machine = platform.machine()
        platforms = (*(f"manylinux_{version}_{machine}" for version in _GLIBC), f"manylinux2014_{machine}")
        command = [
            sys.executable,
            *("-m", "pip", "install", "--disable-pip-version-check", "--no-deps", "--require-hashes"),
            *("--no-compile", "--only-binary=:all:", "--ignore-requires-python"),
            f"--target={folder / 'site'}",
            f"--python-version={PYTHON}",
            *("--implementation=cp", "--abi=cp313", "--abi=abi3", "--abi=none"),
            *(f"--platform={tag}" for tag in platforms),
            f"--requirement={_REQUIREMENTS}",
        ]
        run_logged(command, log=log)


LOCAL_BIGQUERY = LocalBigQuery()
