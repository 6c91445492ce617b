"""An artifact is a folder of the cache that is either complete or absent.

It is built in a sibling folder and renamed into place, with a manifest of the recipe and a digest of the result. The
manifest is checked on every use, so that an interrupted or damaged build is repeated.
"""

import hashlib
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deploy.local.lock import locked
from deploy.local.privilege import remove_tree
from deploy.local.progress import Progress

MANIFEST = "axion-manifest.json"


class Recipe(Protocol):
    """How one artifact is built. `inputs` decides its identity: with another version it is another artifact."""

    @property
    def name(self) -> str: ...
    @property
    def inputs(self) -> dict[str, str]: ...
    @property
    def sealed(self) -> tuple[str, ...]:
        """Folders whose listing (path, mode, size, time) is part of the digest."""
        ...

    @property
    def hashed(self) -> tuple[str, ...]:
        """Files or folders whose bytes are part of the digest as well."""
        ...

    def build(self, folder: Path, log: Path) -> None:
        """Fills `folder`, which exists and is empty. Raises `StackError`."""
        ...


@dataclass(frozen=True, slots=True)
class Artifact:
    """A verified folder of the cache."""

    folder: Path
    built: bool
    """Whether this call built it."""


def provide(recipe: Recipe, *, cache: Path, progress: Progress) -> Artifact:
    """The artifact, verified; built when it is absent, incomplete or changed. One builder at a time per machine."""
    final = cache / f"{recipe.name}-{_identity(recipe)}"
    if is_whole(recipe, final):
        return Artifact(final, built=False)
    with locked(cache / "locks" / f"{final.name}.lock", progress=progress, waiting_for=f"the build of {recipe.name}"):
        if is_whole(recipe, final):
            return Artifact(final, built=False)
        _build(recipe, final, log=cache / "logs" / f"{recipe.name}.log", progress=progress)
    return Artifact(final, built=True)


def is_present(recipe: Recipe, cache: Path) -> bool:
    """Whether the artifact was finished once; `provide` verifies that it still is what it was."""
    return (cache / f"{recipe.name}-{_identity(recipe)}" / MANIFEST).exists()


def is_whole(recipe: Recipe, folder: Path) -> bool:
    """Whether the folder matches its manifest, and the manifest this recipe."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        return False
    return bool(manifest == {"inputs": recipe.inputs, "digest": _digest(recipe, folder)})


def _build(recipe: Recipe, final: Path, *, log: Path, progress: Progress) -> None:
    partial = final.with_name(f"{final.name}.partial")
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("")
    with progress.step(f"{'repairing' if final.exists() else 'building'} {recipe.name}", log):
        remove_tree(partial)
        partial.mkdir(parents=True)
        recipe.build(partial, log)
        manifest = {"inputs": recipe.inputs, "digest": _digest(recipe, partial)}
        (partial / MANIFEST).write_text(json.dumps(manifest, indent=1))
        remove_tree(final)
        partial.rename(final)


def _identity(recipe: Recipe) -> str:
    return hashlib.sha256(json.dumps(recipe.inputs, sort_keys=True).encode()).hexdigest()[:12]


def _digest(recipe: Recipe, folder: Path) -> str:
    digest = hashlib.sha256()
    for part in recipe.sealed:
        for path in _files(folder / part):
            entry = path.lstat()
            when = 0 if stat.S_ISLNK(entry.st_mode) else entry.st_mtime_ns
            line = f"{path.relative_to(folder)}\0{entry.st_mode:o}\0{entry.st_size}\0{when}\n"
            digest.update(line.encode(errors="surrogateescape"))
    for part in recipe.hashed:
        for path in _files(folder / part):
            if path.is_file() and not path.is_symlink():
                with path.open("rb") as handle:
                    digest.update(hashlib.file_digest(handle, "sha256").digest())
    return digest.hexdigest()


def _files(path: Path) -> list[Path]:
    """All files below a folder, in a fixed order; the file itself if `path` is one; nothing if it is absent."""
    if not path.is_dir():
        return [path] if path.is_file() else []
    return sorted(Path(folder) / file for folder, _, files in os.walk(path) for file in files)
