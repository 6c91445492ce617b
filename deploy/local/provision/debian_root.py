"""PostgreSQL 17 with its extensions, from Debian trixie's packages, in a root of its own.

The packages need a newer libc than the host may have, so they are never installed onto the host: mmdebstrap unpacks
them into a folder that `chroot` enters. Nothing is mounted here; the stack mounts in a private namespace.
"""

import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from deploy.local.command import run_logged
from deploy.local.errors import StackError
from deploy.local.privilege import as_root
from deploy.local.provision.host_packages import has_apt, install

SUITE = "trixie"
PACKAGES = ("postgresql-17", "postgresql-17-postgis-3", "postgresql-17-pgvector", "postgresql-17-partman")
POSTGRES_BIN = "/usr/lib/postgresql/17/bin"
UID = 60917
"""The server's own user. The package's `postgres` would share a number with some user of the host; this range is
assigned to nobody (systemd's table of uids, 60578 to 61183)."""

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_HOST_PACKAGES = ("mmdebstrap", "debian-archive-keyring")
_NO_CLUSTER = (
    'mkdir -p "$1/etc/postgresql-common" && '
    'echo "create_main_cluster = false" > "$1/etc/postgresql-common/createcluster.conf"'
)
_USER = (
    f'chroot "$1" useradd --system --uid {UID} --user-group --no-create-home '
    "--home-dir /var/lib/axion --shell /usr/sbin/nologin axion"
)
_FOLDER = 'mkdir -p "$1/var/lib/axion" "$1/dev/shm"'
_UNUSED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")


@dataclass(frozen=True, slots=True)
class DebianRoot:
    """Recipe of the private root. `mirror` replaces Debian's own server if set (`AXION_DEBIAN_MIRROR`)."""

    mirror: str | None = None
    name: str = "postgres-root"
    sealed: tuple[str, ...] = ("usr",)
    hashed: tuple[str, ...] = ("usr/lib/postgresql",)

    @property
    def inputs(self) -> dict[str, str]:
        return {
            "suite": SUITE,
            "packages": " ".join(PACKAGES),
            "machine": platform.machine(),
            "uid": str(UID),
            "layout": "1",
        }

    def build(self, folder: Path, log: Path) -> None:
        _install_mmdebstrap(log)
        command = [
            "mmdebstrap",
            "--variant=apt",
            f"--include={','.join(PACKAGES)}",
            f"--keyring={KEYRING}",
            f"--essential-hook={_NO_CLUSTER}",
            f"--customize-hook={_USER}",
            f"--customize-hook={_FOLDER}",
            *(f"--dpkgopt=path-exclude={path}" for path in _UNUSED),
            SUITE,
            str(folder),
            *([self.mirror] if self.mirror else []),
        ]
        folder.rmdir()
        run_logged(as_root(*command), log=log)
        _give_folder_back(folder, log)


def _give_folder_back(folder: Path, log: Path) -> None:
    """Returns the folder to the user who runs the stack, who writes the manifest and need not be root."""
    run_logged(as_root("chown", f"{os.getuid()}:{os.getgid()}", str(folder)), log=log)


def _install_mmdebstrap(log: Path) -> None:
    if shutil.which("mmdebstrap") and KEYRING.exists():
        return
    if not has_apt():
        raise StackError(
            "mmdebstrap is not installed and this machine has no apt-get: install mmdebstrap and the Debian archive "
            "keyring, or point the AXION_* settings at real servers (docs/settings.md)"
        )
    install(*_HOST_PACKAGES, log=log)
