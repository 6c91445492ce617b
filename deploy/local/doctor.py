"""Examines what a machine has and lacks for the embedded stack, and how to get what is missing."""

import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from deploy.local.part import read_record
from deploy.local.paths import CHECKOUT, cache_folder, state_paths
from deploy.local.ports import DEMO_GATEWAY, is_free, read_ports
from deploy.local.privilege import is_root, may_become_root, may_mount
from deploy.local.provision.artifact import is_present
from deploy.local.provision.debian_root import KEYRING, DebianRoot
from deploy.local.provision.go_binary import OPENFGA, VERSITYGW, find_go
from deploy.local.servers.gateway import GATEWAY

ALTERNATIVES = (
    "Without this the embedded stack cannot be built here. Instead, point the AXION_* settings at real servers "
    "(docs/settings.md lists them), or use Docker: make compose"
)
_GIB = 1 << 30
_PYTHON = (3, 11)
_GO = (1, 21)


class Verdict(StrEnum):
    OK = "ok"
    NOTE = "note"
    """It works, but could be better."""
    MISSING = "missing"
    """The embedded stack cannot be built or started without it."""


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    verdict: Verdict
    found: str
    remedy: str = ""


def examine() -> list[Check]:
    """Runs every check, the most important first. Changes nothing on the machine."""
    cache = cache_folder()
    root_built = is_present(DebianRoot(), cache)
    binaries_built = is_present(OPENFGA, cache) and is_present(VERSITYGW, cache)
    return [
        _system(),
        _python(),
        _rights(),
        _mounts(),
        _packages(root_built),
        _go(binaries_built),
        _disk("disk (cache)", cache, 1 if root_built and binaries_built else 6),
        _disk("disk (state)", CHECKOUT, 2),
        _port(),
    ]


def _system() -> Check:
    found = f"{platform.system()} {platform.machine()}"
    if platform.system() == "Linux":
        return Check("system", Verdict.OK, found)
    return Check("system", Verdict.MISSING, found, f"Linux is needed. {ALTERNATIVES}")


def _python() -> Check:
    found = platform.python_version()
    if sys.version_info >= _PYTHON:
        return Check("Python", Verdict.OK, found)
    return Check(
        "Python", Verdict.MISSING, found, "Python 3.11 or newer: apt-get install python3 python3-venv (Debian 12)"
    )


def _rights() -> Check:
    if is_root():
        return Check("root rights", Verdict.OK, "root")
    if may_become_root():
        return Check("root rights", Verdict.OK, "sudo without a password")
    if shutil.which("sudo"):
        return Check("root rights", Verdict.MISSING, "sudo asks for a password", f"Run `sudo -v` first. {ALTERNATIVES}")
    return Check(
        "root rights", Verdict.MISSING, "neither root nor sudo", f"Run as root or install sudo. {ALTERNATIVES}"
    )


def _mounts() -> Check:
    if not may_become_root():
        return Check("private mounts", Verdict.NOTE, "not known without root rights")
    if may_mount():
        return Check("private mounts", Verdict.OK, "permitted")
    return Check(
        "private mounts",
        Verdict.NOTE,
        "not permitted (a container?)",
        "PostgreSQL runs in a copy of its root with memory-mapped files instead; CAP_SYS_ADMIN would avoid the copy",
    )


def _packages(built: bool) -> Check:
    if built:
        return Check("PostgreSQL root", Verdict.OK, "built")
    if shutil.which("mmdebstrap") and KEYRING.exists():
        return Check("PostgreSQL root", Verdict.OK, "not built yet; mmdebstrap is installed")
    if shutil.which("apt-get"):
        return Check("PostgreSQL root", Verdict.OK, "not built yet; mmdebstrap will be installed with apt-get")
    remedy = f"Install mmdebstrap and the Debian archive keyring. {ALTERNATIVES}"
    return Check("PostgreSQL root", Verdict.MISSING, "neither mmdebstrap nor apt-get", remedy)


def _go(built: bool) -> Check:
    if built:
        return Check("OpenFGA, versitygw", Verdict.OK, "built")
    go = find_go()
    if go is None:
        return Check(
            "Go",
            Verdict.MISSING,
            "not found",
            f"Go 1.21 or newer from go.dev/dl, or golang-go of trixie. {ALTERNATIVES}",
        )
    said = subprocess.run([go, "version"], capture_output=True, text=True).stdout.strip()
    version = re.search(r"go(\d+)\.(\d+)", said)
    if version is not None and (int(version[1]), int(version[2])) >= _GO:
        return Check("Go", Verdict.OK, said.removeprefix("go version "))
    return Check(
        "Go", Verdict.MISSING, said or "`go version` failed", f"Go 1.21 or newer from go.dev/dl. {ALTERNATIVES}"
    )


def _disk(name: str, folder: Path, needed_gib: int) -> Check:
    free = shutil.disk_usage(folder).free / _GIB
    found = f"{free:.1f} GiB free in {folder}"
    if free >= needed_gib:
        return Check(name, Verdict.OK, found)
    remedy = f"{needed_gib} GiB are needed: free some, or put the cache elsewhere with AXION_CACHE_DIR"
    return Check(name, Verdict.MISSING, found, remedy)


def _port() -> Check:
    paths = state_paths("demo")
    kept = read_ports(paths)
    port = int(os.environ.get("AXION_HTTP__PORT") or (kept.gateway if kept else DEMO_GATEWAY))
    record = read_record(paths, GATEWAY)
    if record is not None and record.identity.alive:
        return Check("demo's port", Verdict.OK, f"{port}: this demo's gateway runs there")
    if is_free(port):
        return Check("demo's port", Verdict.OK, f"{port} is free")
    remedy = f"Stop what listens there (ss -ltnp 'sport = :{port}'), or choose another: axion demo --port 8001"
    return Check("demo's port", Verdict.NOTE, f"{port} is taken", remedy)


def blocking(checks: list[Check]) -> list[Check]:
    """The checks that prevent the embedded stack from running."""
    return [check for check in checks if check.verdict is Verdict.MISSING]
