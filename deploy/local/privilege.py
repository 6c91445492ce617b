"""What the user may do on this machine: become root, and make private mounts."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from deploy.local.errors import StackError

NO_ROOT = (
    "root or passwordless sudo is needed to build and run the private PostgreSQL root. Run `sudo -v` first, or point "
    "the AXION_* settings at real servers (docs/settings.md), or use Docker: make compose"
)


def is_root() -> bool:
    return os.geteuid() == 0


@cache
def may_become_root() -> bool:
    """Whether the user is root, or sudo does not ask for a password now."""
    if is_root():
        return True
    return (
        shutil.which("sudo") is not None and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0
    )


def as_root(*command: str) -> list[str]:
    """The command with root's rights. Raises `StackError` when neither root nor sudo is available."""
    if not may_become_root():
        raise StackError(NO_ROOT)
    return list(command) if is_root() else ["sudo", "-n", *command]


@cache
def may_mount() -> bool:
    """Whether root may make a private mount namespace here (most containers forbid it)."""
    if not may_become_root() or shutil.which("unshare") is None:
        return False
    trial = as_root("unshare", "-m", "sh", "-c", "mount --bind / /mnt")
    return subprocess.run(trial, capture_output=True).returncode == 0


def remove_tree(folder: Path) -> None:
    """Deletes a folder that may hold files of other users. Raises `StackError` when something is mounted in it."""
    if not folder.exists():
        return
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    if inside := [point for point in mounted if Path(point).is_relative_to(folder.resolve())]:
        raise StackError(f"{', '.join(inside)} is mounted inside {folder}, which is to be deleted: umount it first")
    if is_root():
        shutil.rmtree(folder)
        return
    try:
        shutil.rmtree(folder)
    except PermissionError:
        subprocess.run(as_root("rm", "-rf", "--one-file-system", "--", str(folder)), check=True, capture_output=True)
