"""Helm is built for these tests alone, which takes minutes if it is not in the cache; so they need `--every-engine`."""

import pytest

from tests.every_engine import leave_out


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    leave_out(config, items, lambda item: "helm" in item.fixturenames)
