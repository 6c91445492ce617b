"""An artifact is complete or absent: one that was interrupted, deleted from or changed is built again."""

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy.local.command import run_logged
from deploy.local.errors import StackError
from deploy.local.progress import Progress
from deploy.local.provision.artifact import MANIFEST, is_present, provide


@dataclass
class Binary:
    """A real, small build: it copies a file in two steps and may be interrupted between them."""

    source: Path
    version: str = "1"
    interrupted: bool = False
    name: str = "binary"
    sealed: tuple[str, ...] = ("share",)
    hashed: tuple[str, ...] = ("bin",)
    builds: list[Path] = field(default_factory=list)

    @property
    def inputs(self) -> dict[str, str]:
        return {"version": self.version}

    def build(self, folder: Path, log: Path) -> None:
        self.builds.append(folder)
        for place in ("bin", "share"):
            (folder / place).mkdir()
            run_logged(["cp", str(self.source), str(folder / place / "tool")], log=log)
            if self.interrupted:
                run_logged(["sh", "-c", "echo the network went away; exit 7"], log=log)


@pytest.fixture
def recipe(tmp_path: Path) -> Binary:
    source = tmp_path / "source"
    source.write_text("v1")
    return Binary(source)


def test_is_built_once(recipe: Binary, tmp_path: Path, progress: Progress) -> None:
    first = provide(recipe, cache=tmp_path, progress=progress)
    second = provide(recipe, cache=tmp_path, progress=progress)

    assert (first.built, second.built) == (True, False)
    assert first.folder == second.folder
    assert (first.folder / "bin" / "tool").read_text() == "v1"
    assert len(recipe.builds) == 1


def test_an_interrupted_build_leaves_nothing_that_is_trusted(
    recipe: Binary, tmp_path: Path, progress: Progress
) -> None:
    recipe.interrupted = True
    with pytest.raises(StackError, match=r"exit code 7.*\n.*the network went away"):
        provide(recipe, cache=tmp_path, progress=progress)
    assert not is_present(recipe, tmp_path)

    recipe.interrupted = False
    repaired = provide(recipe, cache=tmp_path, progress=progress)

    assert repaired.built
    assert sorted(entry.name for entry in repaired.folder.iterdir()) == [MANIFEST, "bin", "share"]
    assert not list(tmp_path.glob("*.partial"))


def _rewrite(path: Path) -> None:
    """Another byte, the same size and time: only its hash tells."""
    before = path.stat()
    path.write_text("v2")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "a hashed file is gone": lambda folder: (folder / "bin" / "tool").unlink(),
    "a hashed file has another byte": lambda folder: _rewrite(folder / "bin" / "tool"),
    "a sealed file is gone": lambda folder: (folder / "share" / "tool").unlink(),
    "a sealed file is cut": lambda folder: os.truncate(folder / "share" / "tool", 1),
    "a sealed file lost its mode": lambda folder: (folder / "share" / "tool").chmod(0o400),
    "a sealed folder has one more": lambda folder: (folder / "share" / "more").touch(),
    "the manifest is gone": lambda folder: (folder / MANIFEST).unlink(),
    "the manifest is cut": lambda folder: os.truncate(folder / MANIFEST, 10),
    "the manifest is another recipe's": lambda folder: _other_inputs(folder / MANIFEST),
}


def _other_inputs(manifest: Path) -> None:
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "inputs": {"version": "0"}}))


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_damage_is_repaired(damage: Callable[[Path], None], recipe: Binary, tmp_path: Path, progress: Progress) -> None:
    whole = provide(recipe, cache=tmp_path, progress=progress).folder
    damage(whole)

    repaired = provide(recipe, cache=tmp_path, progress=progress)

    assert repaired.built
    assert (repaired.folder / "bin" / "tool").read_text() == "v1"
    assert not provide(recipe, cache=tmp_path, progress=progress).built


def test_another_version_is_another_artifact(recipe: Binary, tmp_path: Path, progress: Progress) -> None:
    old = provide(recipe, cache=tmp_path, progress=progress)
    recipe.version = "2"
    new = provide(recipe, cache=tmp_path, progress=progress)

    assert new.built
    assert new.folder != old.folder
    assert old.folder.exists()


def test_two_stacks_at_once_build_once(recipe: Binary, tmp_path: Path, progress: Progress) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = [pool.submit(provide, recipe, cache=tmp_path, progress=progress) for _ in range(4)]
        folders = {future.result().folder for future in made}

    assert len(folders) == 1
    assert len(recipe.builds) == 1
