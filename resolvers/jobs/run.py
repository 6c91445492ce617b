"""Runs one job from its place in the queue to its outcome: a final state, or a retry."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from time import monotonic
from typing import Literal, TypeAlias

import structlog

from loaders.errors import AxionError, Code, PermissionsUnavailable, StoreBusy, StoreTimeout, StoreUnavailable
from loaders.jobs.attempts import Attempt, Attempts
from loaders.jobs.job import Job, JsonObject, State
from resolvers.context import Context
from resolvers.jobs.kinds.kind import JobContext, Run
from resolvers.jobs.progress import Progress

_log = structlog.get_logger(__name__)

_TRANSIENT = (StoreUnavailable, StoreTimeout, StoreBusy, PermissionsUnavailable)
_SAVE_TRIES = 6

ContextFor: TypeAlias = Callable[[Job], AbstractAsyncContextManager[Context]]
"""Opens a context that acts as the job's subject."""

Ended: TypeAlias = Callable[[str, str, float], None]
"""Called for each start of a job that ends here, with its kind, its outcome and its duration in seconds."""

Reason: TypeAlias = Literal["cancelled", "lost"]


class TryAgain(Exception):
    """The job is queued again and should be taken from the queue after `delay_s`."""

    def __init__(self, delay_s: float) -> None:
        super().__init__(f"try again in {delay_s} s")
        self.delay_s = delay_s


@dataclass(slots=True)
class Running:
    """A job that this process runs. `stop` cancels its task; only the first reason counts."""

    attempt: Attempt
    task: asyncio.Task[JsonObject]
    reason: Reason | None = None

    def stop(self, reason: Reason) -> None:
        if self.reason is None:
            self.reason = reason
            self.task.cancel()


@dataclass(slots=True)
class Runner:
    """A job is started at most `max_attempts` times. `back_off_s` is the first delay, which doubles with each retry."""

    attempts: Attempts
    kinds: Mapping[str, Run]
    context_for: ContextFor
    max_attempts: int
    back_off_s: float
    ended: Ended
    running: dict[Attempt, Running] = field(default_factory=dict)

    async def run(self, job_id: uuid.UUID, *, queue_id: int) -> None:
        """Returns when the job has ended or is not this worker's to run; raises `TryAgain` when it is queued again.

        When cancelled, because the worker shuts down, it stops the job, queues it again and re-raises the cancellation.
        """
        job = await self.attempts.start(job_id, queue_id=queue_id)
        if job is None:
            return
        attempt = Attempt(job.id, job.attempts)
        log = _log.bind(job_id=str(job.id), kind=job.kind, attempt=attempt.number)
        log.info("job_started")
        progress = Progress(self.attempts, attempt)
        running = Running(attempt, asyncio.create_task(self._work(job, progress), name=f"job {job.id}"))
        self.running[attempt] = running
        outcome, started_at = "succeeded", monotonic()
        try:
            async with progress.writing():
                result = await running.task
        except asyncio.CancelledError:
            outcome = running.reason or "stopped"
            log.info("job_stopped", reason=running.reason or "shutdown")
            await self._stopped(running)
        except Exception as error:
            log.info("job_raised", error=type(error).__name__, exc_info=not isinstance(error, AxionError))
            outcome = "retried"
            await self._raised(attempt, error)
            outcome = "failed"
        else:
            await self._saved(lambda: self.attempts.succeed(attempt, result))
            log.info("job_succeeded")
        finally:
            del self.running[attempt]
            self.ended(job.kind if job.kind in self.kinds else "unknown", outcome, monotonic() - started_at)

    async def _work(self, job: Job, progress: Progress) -> JsonObject:
        run = self.kinds.get(job.kind)
        if run is None:
            raise UnknownKind(job.kind)
        async with self.context_for(job) as context:
            return await run(JobContext(job, context, progress), job.arguments)

    async def _stopped(self, running: Running) -> None:
        if running.reason == "cancelled":
            await self._saved(lambda: self.attempts.cancelled(running.attempt))
        elif running.reason is None:
            await self._saved(lambda: self.attempts.release(running.attempt))
            raise asyncio.CancelledError

    async def _raised(self, attempt: Attempt, error: Exception) -> None:
        shown = shown_error(error)
        if not isinstance(error, _TRANSIENT) or attempt.number >= self.max_attempts:
            await self._saved(lambda: self.attempts.fail(attempt, shown))
            return
        delay_s = self.back_off_s * 2 ** (attempt.number - 1)
        job = await self._saved(lambda: self.attempts.release(attempt, error=shown, delay_s=delay_s))
        if job is not None and job.state is State.QUEUED:
            raise TryAgain(delay_s)

    async def _saved(self, save: Callable[[], Awaitable[Job | None]]) -> Job | None:
        """Writes the job's outcome even when the worker is stopped meanwhile, or its database is unavailable for a
        while.

        When writing is abandoned, `Recovery` finds the job, because its heartbeat has ended.
        """
        saving = asyncio.ensure_future(self._save(save))
        try:
            return await asyncio.shield(saving)
        except asyncio.CancelledError:
            await saving
            raise

    async def _save(self, save: Callable[[], Awaitable[Job | None]]) -> Job | None:
        for tried in range(_SAVE_TRIES):
            try:
                return await save()
            except _TRANSIENT:
                if tried == _SAVE_TRIES - 1:
                    raise
                await asyncio.sleep(self.back_off_s * 2**tried)
        raise AssertionError("unreachable")


class UnknownKind(AxionError):
    def __init__(self, kind: str) -> None:
        super().__init__(f"This worker does not know the job kind {kind}. Update the workers.")


def shown_error(error: Exception) -> JsonObject:
    """The error as clients see it: the message of the gateway's own errors; of any other only that it happened."""
    if isinstance(error, AxionError):
        return {**error.extensions, "message": str(error)}
    message = "The job failed unexpectedly. Operators find the cause in the worker's log under the job's id."
    return {"code": Code.INTERNAL_ERROR.value, "message": message}
