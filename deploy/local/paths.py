"""Where the embedded stack stores files.

Caches (the private Postgres root, Go binaries) survive a clone and are shared by all stacks of a machine. State (data,
logs, secrets, pids) belongs to one stack of one checkout.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import StackError

CHECKOUT = Path(__file__).resolve().parents[2]
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


def cache_folder() -> Path:
    """`$AXION_CACHE_DIR`, else `$XDG_CACHE_HOME/axion`, else `~/.cache/axion`; created on first use."""
    chosen = os.environ.get("AXION_CACHE_DIR")
    folder = Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "axion"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


@dataclass(frozen=True, slots=True)
class StatePaths:
    """The folders of one stack; everything below `root` may be deleted with `axion stack reset`."""

    name: str
    root: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def parts(self) -> Path:
        return self.root / "parts"

    @property
    def env(self) -> Path:
        return self.root / "env"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets.json"

    @property
    def ports(self) -> Path:
        return self.root / "ports.json"

    @property
    def lock(self) -> Path:
        return self.root.parent / "locks" / f"{self.name}.lock"

    def log(self, part: str) -> Path:
        return self.logs / f"{part}.log"

    def create(self) -> None:
        """Creates the folders, private to the user: logs and data may contain what the demo's users typed."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o700)
        for folder in (self.data, self.logs, self.parts):
            folder.mkdir(exist_ok=True)


def state_paths(name: str) -> StatePaths:
    """Raises `StackError` for a name that cannot be a folder's."""
    if not _NAME.fullmatch(name):
        raise StackError(f"{name!r} is no stack name: use lower-case letters, digits and '-', starting with a letter")
    return StatePaths(name, CHECKOUT / ".axion" / name)
