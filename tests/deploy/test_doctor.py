"""The doctor on machines that really lack something: in a namespace, or as a user without the permission."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.doctor import Check, Verdict, blocking, examine
from deploy.local.paths import CHECKOUT
from deploy.local.privilege import is_root, may_mount

WIDE = {"COLUMNS": "400", "PYTHONPATH": str(CHECKOUT), "LANG": "C.UTF-8"}


def _doctor(*prefix: str, path: str, cache: Path) -> subprocess.CompletedProcess[str]:
    command = [*prefix, sys.executable, "-m", "gateway.cli", "doctor"]
    environment = {**WIDE, "PATH": path, "AXION_CACHE_DIR": str(cache)}
    return subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True)


def _row(table: str, check: str) -> str:
    return next(line for line in table.splitlines() if line.startswith(f"│ {check} "))


def test_this_machine_can_run_the_stack() -> None:
    assert blocking(examine()) == []


def test_a_note_does_not_stop_but_a_lack_does() -> None:
    note, lack = Check("a", Verdict.NOTE, "", ""), Check("b", Verdict.MISSING, "", "")
    assert blocking([note, lack]) == [lack]


@pytest.mark.skipif(not may_mount(), reason="hiding the host's Go needs a private mount namespace")
def test_without_go_and_packages_names_the_alternatives(tmp_path: Path) -> None:
    hide = 'if [ -d /usr/local/go ]; then mount -t tmpfs none /usr/local/go; fi; exec "$@"'
    unshare, shell = shutil.which("unshare"), shutil.which("sh")
    assert unshare is not None
    assert shell is not None
    tools = tmp_path / "tools"
    tools.mkdir()
    for needed in ("mount", "id"):
        (tools / needed).symlink_to(str(shutil.which(needed)))
    done = _doctor(unshare, "-m", shell, "-c", hide, "-", path=str(tools), cache=tmp_path / "cache")

    assert done.returncode == 1
    for check in ("Go", "PostgreSQL root"):
        row = _row(done.stdout, check)
        assert "│ missing │" in row
        assert "AXION_*" in row
        assert "make compose" in row


@pytest.mark.skipif(not is_root(), reason="only root may become somebody who is not")
def test_without_root_names_the_alternatives(tmp_path: Path) -> None:
    """As `nobody`, with the one right to read this interpreter wherever it is installed."""
    cache = tmp_path / "cache"
    cache.mkdir()
    os.chown(cache, 65534, 65534)
    reading = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    become = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *reading)
    done = _doctor(*become, path=os.defpath, cache=cache)

    assert done.returncode == 1
    row = _row(done.stdout, "root rights")
    assert "│ missing │" in row
    assert "make compose" in row
