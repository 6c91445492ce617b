"""The API, the stores and a loop that examples run on, one after the other."""

import asyncio
from collections.abc import Iterator

import pytest
import structlog

from gateway.settings import Settings
from tests.differential.declared import Api, declared
from tests.differential.ways import Ways, opened

DOCUMENTS = 500


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--documents", type=int, default=DOCUMENTS, help="how many random documents the oracle judges")


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with declared() as api:
        yield api


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """Hypothesis calls an example as a plain function; the stores' clients live on one loop."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        yield runner


@pytest.fixture(scope="module")
def ways(api: Api, runner: asyncio.Runner, settings: Settings, admin_url: str) -> Iterator[Ways]:
    around = opened(settings, admin_url, api)
    ways = runner.run(around.__aenter__())
    yield ways
    runner.run(around.__aexit__(None, None, None))


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """An example that fails is run many times over, until it is as small as can be."""
    with structlog.testing.capture_logs() as logs:
        yield
    assert not [line for line in logs if line["event"] == "plan_differs"]
