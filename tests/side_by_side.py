"""The suite on several stacks side by side (pytest-xdist): each worker has a stack of its own and whole folders."""

import os
from collections.abc import MutableMapping
from pathlib import PurePosixPath

from xdist.scheduler import LoadScopeScheduling

ENV_FILES = "AXION_TEST_ENV_FILES"
"""The stacks' env files, as PATH lists folders; a worker takes the one of its number."""
_SPREAD = "tests/system"
"""The folder that takes longest: its files go to whichever worker is free."""


class ByFolder(LoadScopeScheduling):
    """Hands out folders in their order, so that fixtures of a folder are made once, and by one worker."""

    def _split_scope(self, nodeid: str) -> str:
        return goes_with(nodeid)


def goes_with(test: str) -> str:
    """What of the suite a test stays together with: its folder, or its file where files are spread."""
    file = PurePosixPath(test.partition("::")[0])
    return str(file if str(file.parent) == _SPREAD else file.parent)


def take_stack(environment: MutableMapping[str, str] = os.environ) -> None:
    """In a worker, `AXION_ENV_FILE` names its stack from here on; elsewhere nothing changes."""
    worker = environment.get("PYTEST_XDIST_WORKER")
    if worker is None:
        return
    files = environment[ENV_FILES].split(os.pathsep)
    number = int(worker.removeprefix("gw"))
    if number >= len(files):
        raise RuntimeError(f"{ENV_FILES} names {len(files)} stacks, too few for `-n`: a stack serves one worker")
    environment["AXION_ENV_FILE"] = files[number]
