from collections.abc import Iterator

import pytest

from migrations.runner import run
from migrations.targets import Targets
from tests.migrations.cluster import dropped_afterwards, fresh_targets


@pytest.fixture(scope="session")
def migrated(admin_url: str) -> Iterator[Targets]:
    """All databases, brought from nothing to the newest revision. Tests leave no rows that others could trip over."""
    with dropped_afterwards(fresh_targets(admin_url)) as targets:
        run("all", targets)
        yield targets


@pytest.fixture
def empty(admin_url: str) -> Iterator[Targets]:
    """Targets that do not exist yet, for one test."""
    with dropped_afterwards(fresh_targets(admin_url)) as targets:
        yield targets
