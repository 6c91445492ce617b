"""A copy of the checkout's code to which files are added, as who extends the product would."""

import shutil
from pathlib import Path

from deploy.local.paths import CHECKOUT

_CODE = ("gateway", "schema", "resolvers", "loaders", "migrations", "deploy")


def copied(to: Path) -> Path:
    for folder in _CODE:
        shutil.copytree(CHECKOUT / folder, to / folder, ignore=shutil.ignore_patterns("__pycache__", ".axion"))
    return to


def add(checkout: Path, path: str, code: str) -> None:
    """At the end of a file that is there; a new file otherwise."""
    file = checkout / path
    file.parent.mkdir(parents=True, exist_ok=True)
    before = file.read_text() if file.is_file() else ""
    file.write_text(f"{before}{code}\n")
