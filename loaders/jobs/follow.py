"""Follows all jobs that fit a filter as they change: one reading task and one SELECT serve all followers."""

import asyncio
import uuid
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

import structlog

from loaders.errors import AxionError, StoreUnavailable
from loaders.jobs.changes import COLUMNS
from loaders.jobs.job import Job, State, job_of
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres

_log = structlog.get_logger(__name__)

PENDING = 1_000
"""Different jobs that may wait for a follower. One who leaves more is told to follow again."""

_EVERY_S = 0.1
_BACK_OFF_S = (0.1, 5.0)
_SLACK_S = 5.0
_NAMES = ", ".join(column.name for column in COLUMNS)
_CHANGED = f"SELECT {_NAMES} FROM public.jobs WHERE id = ANY($1::uuid[]) ORDER BY id"  # noqa: S608 - the model's own columns
_SINCE = (
    f"SELECT {_NAMES} FROM public.jobs WHERE state IN ('queued', 'running') "  # noqa: S608 - the model's own columns
    "OR finished_at > now() - make_interval(secs => $1) ORDER BY id"
)


@dataclass(frozen=True, slots=True)
class Fits:
    """Which jobs: None fits all."""

    subject: str | None = None
    kinds: frozenset[str] | None = None
    states: frozenset[State] | None = None

    def __call__(self, job: Job) -> bool:
        return (
            (self.subject is None or job.subject == self.subject)
            and (self.kinds is None or job.kind in self.kinds)
            and (self.states is None or job.state in self.states)
        )


@dataclass(eq=False, slots=True)
class _Follower:
    """What a follower has not taken yet: the newest state of each job. `heard` are the sequences of changes during its
    first reading, whose rows may be older and arrive later; None afterwards.
    """

    fits: Fits
    pending: dict[uuid.UUID, Job] = field(default_factory=dict)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    failure: AxionError | None = None
    heard: dict[uuid.UUID, int] | None = field(default_factory=dict)

    def begin(self, jobs: list[Job]) -> None:
        """With the first reading, but for what is known to be newer."""
        heard, self.heard = self.heard or {}, None
        for job in jobs:
            if job.sequence > heard.get(job.id, -1):
                self.add(job)

    def add(self, job: Job) -> None:
        if self.heard is not None:
            self.heard[job.id] = job.sequence
        if self.fits(job):
            self.pending[job.id] = job
            self.arrived.set()
        else:
            self.pending.pop(job.id, None)

    def fail(self, error: AxionError) -> None:
        self.failure = error
        self.pending.clear()
        self.arrived.set()

    async def next(self) -> Job:
        """Nothing more once it has failed: what came after may be there, what was before is lost."""
        while not self.pending and self.failure is None:
            self.arrived.clear()
            await self.arrived.wait()
        if self.failure is not None:
            raise self.failure
        return self.pending.pop(next(iter(self.pending)))


class JobFollowing:
    """Woken by the one connection that listens (`loaders.jobs.watch`). Nothing is read while there are no followers.

    Changes that were missed while no connection listened are read when one does again: unfinished jobs, and those that
    ended since the last reading. So a job may be sent twice, and none is missed.
    """

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._followers: set[_Follower] = set()
        self._marked: set[uuid.UUID] = set()
        self._missed = False
        self._read_at = monotonic()
        self._woken = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None

    @property
    def followers(self) -> int:
        return len(self._followers)

    def wake(self, job_id: uuid.UUID) -> None:
        if self._followers:
            self._marked.add(job_id)
            self._woken.set()

    def reconnected(self) -> None:
        if self._followers:
            self._missed = True
            self._woken.set()

    async def close(self) -> None:
        """Followers still there end with `StoreUnavailable`."""
        for follower in self._followers:
            follower.fail(StoreUnavailable(self._postgres.store, "Jobs are no longer followed here. Follow again."))
        await self._stop()

    async def follow(self, fits: Fits) -> AsyncGenerator[Job, None]:
        """The jobs that are queued or running now, then the current state of each job that changes; never ends.

        Changes of one job that come faster than they are read are merged. To be called once something listens. Raises
        `StoreUnavailable` for a follower that leaves more than `PENDING` jobs unread, and when the process ends.
        """
        follower = _Follower(fits)
        self._followers.add(follower)
        if self._reader is None:
            self._read_at = monotonic()
            self._reader = asyncio.create_task(self._read(), name="read jobs for their followers")
        try:
            follower.begin([job_of(row) for row in await self._postgres.fetch(_SINCE, 0.0, ledger=Ledger())])
            while True:
                yield await follower.next()
        finally:
            self._followers.discard(follower)
            if not self._followers:
                await self._stop()

    async def _stop(self) -> None:
        reader, self._reader = self._reader, None
        self._marked.clear()  # before others may follow anew, whose marks these would be
        if reader is not None:
            reader.cancel()
            with suppress(asyncio.CancelledError):
                await reader

    async def _read(self) -> None:
        shortest, longest = _BACK_OFF_S
        wait = shortest
        while True:
            await self._woken.wait()
            await asyncio.sleep(_EVERY_S)  # what comes close together is read together
            self._woken.clear()
            marked, self._marked = self._marked, set()
            missed, self._missed = self._missed, False
            started_at = monotonic()
            try:
                rows = await self._postgres.fetch(_CHANGED, list(marked), ledger=Ledger())
                if missed:
                    since = started_at - self._read_at + _SLACK_S
                    rows = [*rows, *await self._postgres.fetch(_SINCE, since, ledger=Ledger())]
                self._read_at, wait = started_at, shortest
                self._tell([job_of(row) for row in rows])
            except AxionError as error:
                _log.warning("jobs_unreadable", code=error.code.value, retry_in_s=wait)
                await asyncio.sleep(wait)
                wait = min(wait * 2, longest)
                self._marked |= marked
                self._missed |= missed
                self._woken.set()

    def _tell(self, jobs: list[Job]) -> None:
        for follower in self._followers:
            for job in jobs:
                follower.add(job)
            if len(follower.pending) > PENDING:
                message = f"More than {PENDING} jobs changed unread. Follow again, or fewer of them."
                follower.fail(StoreUnavailable(self._postgres.store, message))
