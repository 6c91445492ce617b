"""Both ways of answering, in one process over the test stack with the sample data."""

from collections.abc import AsyncIterator

import pytest

from gateway.lifespan import Runtime, open_runtime
from gateway.settings import Settings
from tests.plans.ways import Ways
from tests.system.conftest import env_file, sample_data

__all__ = ["env_file", "sample_data"]


PATIENCE_MS = 30_000
"""With OpenFGA: a busy machine may be late with fifty batches of one document, which is no denial to be tested."""


@pytest.fixture(scope="session")
async def runtime(sample_data: None, settings: Settings) -> AsyncIterator[Runtime]:
    patient = settings.openfga.model_copy(update={"timeout_ms": PATIENCE_MS})
    async with open_runtime(settings.model_copy(update={"openfga": patient})) as runtime:
        yield runtime


@pytest.fixture
def ways(runtime: Runtime, settings: Settings) -> Ways:
    return Ways(runtime, settings.limits)
