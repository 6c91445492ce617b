"""The type of a job kind's code, and what that code is given."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from loaders.jobs.job import Job, JsonObject
from resolvers.context import Context


class Report(Protocol):
    def __call__(self, progress: float | None, message: str | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class JobContext:
    """`context` acts as the user who started the job: permissions are checked again, in the worker.

    `report(progress, message)` reports how far the job is (a share from 0 to 1; null if unknown). It never blocks and
    may be called at any rate: watchers are informed at most a few times a second, always of the latest report.
    Cancelling the job cancels the task that its code runs in.
    """

    job: Job
    context: Context
    report: Report


Run: TypeAlias = Callable[[JobContext, JsonObject], Awaitable[JsonObject]]
"""The code of a kind: arguments -> result. It must tolerate being run again from its start, because a worker may die at
any point.

When a store is down, slow or undecided, the job is retried with back-off; any other error ends the job.
"""
