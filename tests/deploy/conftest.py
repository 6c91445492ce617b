"""State and progress for the stack's own parts, in a temporary folder."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from deploy.local.paths import StatePaths
from deploy.local.progress import Progress


@pytest.fixture
def progress() -> Iterator[Progress]:
    with Progress(Console(file=io.StringIO(), width=200)) as quiet:
        yield quiet


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    made = StatePaths("sample", tmp_path / "sample")
    made.create()
    return made
