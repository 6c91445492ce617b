"""Reports that this process works on its jobs, and learns in the same statement which of them to stop."""

import asyncio
from time import monotonic

import structlog

from loaders.errors import AxionError
from resolvers.jobs.run import Runner

_log = structlog.get_logger(__name__)


class Heartbeat:
    """Sends one statement for all running jobs every `every_s`, and at once after `now()`.

    When none succeeded for `lost_after_s`, another worker may have been given the jobs, so they are stopped here.
    """

    def __init__(self, runner: Runner, *, every_s: float, lost_after_s: float) -> None:
        self._runner = runner
        self._every_s = every_s
        self._lost_after_s = lost_after_s
        self._asked = asyncio.Event()

    def now(self) -> None:
        self._asked.set()

    async def run(self) -> None:
        """Runs until cancelled."""
        beaten_at = monotonic()
        while True:
            try:
                async with asyncio.timeout(self._every_s):
                    await self._asked.wait()
            except TimeoutError:
                pass
            self._asked.clear()
            started_at = monotonic()
            try:
                await self._beat()
                beaten_at = started_at
            except AxionError as error:
                _log.warning("heartbeat_failed", code=error.code.value)
                if monotonic() - beaten_at > self._lost_after_s:
                    for running in self._runner.running.values():
                        running.stop("lost")

    async def _beat(self) -> None:
        running = list(self._runner.running.values())
        if not running:
            return
        alive = await self._runner.attempts.beat([each.attempt for each in running])
        for each in running:
            if each.attempt not in alive:
                each.stop("lost")
            elif alive[each.attempt]:
                each.stop("cancelled")
