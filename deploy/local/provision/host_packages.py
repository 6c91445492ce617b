"""Packages of Debian that are installed onto the host itself, by `apt-get`."""

import fcntl
import shutil
from pathlib import Path

from deploy.local.command import run_logged
from deploy.local.paths import cache_folder
from deploy.local.privilege import as_root


def has_apt() -> bool:
    return shutil.which("apt-get") is not None


def install(*packages: str, log: Path) -> None:
    """Without recommended packages. One at a time on a machine: apt does not wait for another that reads its lists.

    Raises `StackError` where root's rights are not to be had, and when apt-get fails.
    """
    lock = cache_folder() / "locks" / "apt.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        quiet = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get")
        run_logged(as_root(*quiet, "update"), log=log)
        run_logged(as_root(*quiet, "install", "-y", "--no-install-recommends", *packages), log=log)
