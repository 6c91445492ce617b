"""Workers side by side: each takes its own stack, and whole folders."""

import pytest

from tests.side_by_side import ENV_FILES, goes_with, take_stack


@pytest.mark.parametrize(("worker", "taken"), [("gw0", "/a/env"), ("gw1", "/b/env")])
def test_a_worker_takes_the_stack_of_its_number(worker: str, taken: str) -> None:
    environment = {"PYTEST_XDIST_WORKER": worker, ENV_FILES: "/a/env:/b/env", "AXION_ENV_FILE": "/a/env"}
    take_stack(environment)
    assert environment["AXION_ENV_FILE"] == taken


def test_two_workers_share_no_stack() -> None:
    with pytest.raises(RuntimeError, match="a stack serves one worker"):
        take_stack({"PYTEST_XDIST_WORKER": "gw1", ENV_FILES: "/a/env"})


def test_without_workers_nothing_changes() -> None:
    environment = {"AXION_ENV_FILE": "/a/env"}
    take_stack(environment)
    assert environment == {"AXION_ENV_FILE": "/a/env"}


@pytest.mark.parametrize(
    ("test", "together"),
    [
        ("tests/schema/gen/test_roles.py::test_a[1]", "tests/schema/gen"),
        ("tests/system/actors/test_reads.py::test_a", "tests/system/actors"),
        ("tests/system/test_jobs.py::test_a", "tests/system/test_jobs.py"),
        ("tests/test_docs.py::test_a", "tests"),
    ],
)
def test_folders_stay_together(test: str, together: str) -> None:
    assert goes_with(test) == together
