"""Slow warehouses are asked some of the questions in every run, and all with `--every-engine`."""

from collections.abc import Callable

import pytest


def leave_out(config: pytest.Config, items: list[pytest.Item], is_left_out: Callable[[pytest.Function], bool]) -> None:
    """For a `pytest_collection_modifyitems`: they are told as deselected."""
    if config.getoption("--every-engine"):
        return
    left_out = [item for item in items if isinstance(item, pytest.Function) and is_left_out(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
