"""What a kind of job is, and what its code is given."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from loaders.jobs.job import Job, JsonObject
from resolvers.context import Context


class Report(Protocol):
    def __call__(self, progress: float | None, message: str | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class JobContext:
    """`context` acts as the user who started the job: its verdicts are asked anew, in the worker.

    `report(progress, message)` says how far the job is (a share, 0 to 1; null if unknown). It never blocks and may be
    called as often as one likes: watchers are told at most a few times a second, always of the newest.
    Cancelling the job cancels the task its code runs in.
    """

    job: Job
    context: Context
    report: Report


Run: TypeAlias = Callable[[JobContext, JsonObject], Awaitable[JsonObject]]
"""Code of a kind: arguments -> result. It must bear being run again from its start: a worker may die at any point.

A store that is down, slow or undecided makes the job be tried again, with back-off; any other error ends the job.
"""
