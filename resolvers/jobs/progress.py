"""Writes the progress of a running job, at most a few times a second however often the job's code reports it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from loaders.errors import AxionError
from loaders.jobs.attempts import Attempt, Attempts

_log = structlog.get_logger(__name__)

_EVERY_S = 0.2


class Progress:
    """The progress of one attempt. Call it within `writing()`. A failed write is logged and repaired by the next
    report.
    """

    def __init__(self, attempts: Attempts, attempt: Attempt) -> None:
        self._attempts = attempts
        self._attempt = attempt
        self._newest: tuple[float | None, str | None] | None = None
        self._reported = asyncio.Event()

    def __call__(self, progress: float | None, message: str | None = None) -> None:
        """`ValueError` for a share outside of 0 to 1."""
        if progress is not None and not 0 <= progress <= 1:
            raise ValueError(f"progress is a share from 0 to 1, not {progress}")
        self._newest = (progress, message)
        self._reported.set()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Writes reports, the first at once. The latest report at the end of the body is written as well."""
        writer = asyncio.create_task(self._write_forever(), name=f"progress of {self._attempt.job_id}")
        try:
            yield
            writer.cancel()
            with suppress(asyncio.CancelledError):
                await writer
            await self._write()
        finally:
            writer.cancel()

    async def _write_forever(self) -> None:
        while True:
            await self._reported.wait()
            self._reported.clear()
            # Finished even when cancelled, so that the last report is written once and in order.
            writing = asyncio.create_task(self._write())
            try:
                await asyncio.shield(writing)
            except asyncio.CancelledError:
                await writing
                raise
            await asyncio.sleep(_EVERY_S)

    async def _write(self) -> None:
        newest, self._newest = self._newest, None
        if newest is None:
            return
        try:
            await self._attempts.report(self._attempt, progress=newest[0], message=newest[1])
        except AxionError as error:
            _log.warning("job_progress_not_written", job_id=str(self._attempt.job_id), code=error.code.value)
