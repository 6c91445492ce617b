"""How long a worker waits before it starts anew, by what its log says."""

import asyncio
from collections.abc import Callable
from typing import cast

import pytest
from structlog.testing import capture_logs

from gateway import worker
from gateway.settings import Jobs
from resolvers.jobs.run import Runner

LONGEST_S = 0.1


async def test_the_wait_is_short_again_after_a_long_good_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not after a start that took long to fail."""
    stop = asyncio.Event()
    runs = iter(["lost", "lost", "slow to be lost", "lost", "long", "lost", "end"])

    async def work(_jobs: Jobs, _url: str, _runner: Runner, ready: Callable[[], None]) -> None:
        run = next(runs)
        if run == "long":
            ready()
        if run in ("long", "slow to be lost"):
            await asyncio.sleep(2 * LONGEST_S)  # is the run
        if run == "end":
            stop.set()
        raise OSError(run)

    monkeypatch.setattr(worker, "_BACK_OFF_S", (0.001, LONGEST_S))
    monkeypatch.setattr(worker, "_work", work)
    with capture_logs() as lines:
        await worker._work_until(stop, Jobs(), "", cast(Runner, None))
    assert [line["retry_in_s"] for line in lines] == [0.001, 0.002, 0.004, 0.008, 0.001, 0.002]
