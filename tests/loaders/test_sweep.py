"""Recurring work goes on, whatever one round of it raises."""

import asyncio

from structlog.testing import capture_logs

from loaders.errors import StoreUnavailable
from loaders.sweep import sweep


async def test_what_a_round_raises_ends_nothing() -> None:
    """A store that is down, and a defect of ours, which the log has with its traceback."""
    rounds = iter([StoreUnavailable("axion_gen", "It is down."), KeyError("a defect"), None])
    over = asyncio.Event()

    async def move() -> bool:
        error = next(rounds)
        if error is not None:
            raise error
        over.set()
        return False

    with capture_logs() as logs:
        sweeping = asyncio.create_task(sweep(move, name="this", every_s=0))
        async with asyncio.timeout(10):
            await over.wait()
    sweeping.cancel()
    told = [(line["log_level"], line["of"], line.get("code"), line.get("exc_info")) for line in logs]
    assert told == [("warning", "this", "STORE_UNAVAILABLE", None), ("error", "this", None, True)]
