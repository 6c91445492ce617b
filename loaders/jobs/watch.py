"""Watching jobs: one LISTEN connection and one reading task per process serve all watchers.

A notification only marks a job; the reader then fetches what all marked jobs' watchers have not seen in one SELECT, so
what was missed while no connection listened is read as well. Delivery is in order, each event once.
"""

import asyncio
import uuid
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing, suppress

import structlog

from loaders.errors import AxionError, BadInput, NotFound, StoreUnavailable
from loaders.jobs.changes import COLUMNS, EVENTS_CHANNEL
from loaders.jobs.follow import Fits, JobFollowing
from loaders.jobs.job import EventKind, Job, JobEvent, Snapshot, event_of, job_of
from loaders.jobs.listen import Listener
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres

_log = structlog.get_logger(__name__)

PENDING = 256
"""Events a watcher may be behind without losing any; beyond it, of progress events in a row only the newest is kept."""

_PAGE = 256
_BACK_OFF_S = (0.1, 5.0)

_SNAPSHOT = f"SELECT {', '.join(column.name for column in COLUMNS)} FROM public.jobs WHERE id = $1"  # noqa: S608 - names of the model's own columns

_EVENTS = """
SELECT event.job_id, event.sequence, event.kind, event.payload, event.created_at
FROM unnest($1::uuid[], $2::bigint[]) AS watched (job_id, after)
CROSS JOIN LATERAL (
  SELECT * FROM public.job_events
  WHERE job_events.job_id = watched.job_id AND job_events.sequence > watched.after
  ORDER BY job_events.sequence LIMIT $3
) AS event
ORDER BY event.job_id, event.sequence
"""


class _Watch:
    """One watcher: where its reading stands, and what it has not taken yet (at most `PENDING` and the state events)."""

    __slots__ = ("_arrived", "_failure", "_pending", "read_to")

    def __init__(self) -> None:
        self.read_to: int | None = None  # sequence of the newest event taken from the table; None before the snapshot
        self._pending: deque[JobEvent] = deque()
        self._arrived = asyncio.Event()
        self._failure: AxionError | None = None

    def fail(self, error: AxionError) -> None:
        self._failure = error
        self._arrived.set()

    def add(self, events: Iterable[JobEvent]) -> None:
        assert self.read_to is not None
        for event in events:
            if event.sequence > self.read_to:
                self.read_to = event.sequence
                self._pending.append(event)
        if len(self._pending) > PENDING:
            self._pending = _coalesced(self._pending)
        if self._pending:
            self._arrived.set()

    async def next(self) -> JobEvent:
        while not self._pending:
            if self._failure is not None:
                raise self._failure
            self._arrived.clear()
            await self._arrived.wait()
        return self._pending.popleft()


def _coalesced(events: Iterable[JobEvent]) -> deque[JobEvent]:
    kept: deque[JobEvent] = deque()
    for event in events:
        if kept and event.kind is EventKind.PROGRESS and kept[-1].kind is EventKind.PROGRESS:
            kept.pop()
        kept.append(event)
    return kept


class JobWatcher:
    """Over database `axion_sense_tasks` under the `_app` role. Open from `start()` to `close()`.

    A new watcher waits at most `patience_s` for a connection that listens.
    """

    def __init__(self, postgres: Postgres, url: str, *, patience_s: float = 5.0) -> None:
        self._postgres = postgres
        self._patience_s = patience_s
        self._watches: defaultdict[uuid.UUID, set[_Watch]] = defaultdict(set)
        self._marked: set[uuid.UUID] = set()
        self._woken = asyncio.Event()
        self._listener = Listener(
            postgres.store, url, EVENTS_CHANNEL, on_wake=self._on_wake, on_connect=self._on_connect
        )
        self._reader: asyncio.Task[None] | None = None
        self._following = JobFollowing(postgres)

    def start(self) -> None:
        """Returns at once; the connection is made in the background and kept."""
        self._listener.start()
        self._reader = asyncio.create_task(self._read(), name="read job events")

    async def close(self) -> None:
        """Watchers still there end with `StoreUnavailable`; they may watch again elsewhere, with `after`."""
        await self._listener.close()
        await self._following.close()
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader

    @property
    def watchers(self) -> int:
        """How many watch now."""
        return sum(len(watches) for watches in self._watches.values())

    @property
    def followers(self) -> int:
        """How many follow now."""
        return self._following.followers

    async def follow(self, fits: Fits) -> AsyncGenerator[Job, None]:
        """As `JobFollowing.follow`; `StoreUnavailable` when nothing can be watched now."""
        if self._reader is None or self._reader.done():
            raise self._closed()
        await self._listener.listening(timeout_s=self._patience_s)
        async with aclosing(self._following.follow(fits)) as jobs:
            async for job in jobs:
                yield job

    async def watch(self, job_id: uuid.UUID, *, after: int | None = None) -> AsyncGenerator[Snapshot | JobEvent, None]:
        """A snapshot of the job as it is now and every event that follows it; or, with `after`, no snapshot and exactly
        the events numbered above `after`. The stream ends with the one item that `is_final`.

        With `after` the job's last event there is nothing to tell, and the stream of an ended job is empty. A reader
        that falls behind by more than `PENDING` events misses progress, never a change of state.
        `NotFound` without such a job, `BadInput` when `after` is not a number of one of its events (or 0),
        `StoreUnavailable` when nothing can be watched now; a database lost later is waited for.
        """
        if self._reader is None or self._reader.done():
            raise self._closed()
        await self._listener.listening(timeout_s=self._patience_s)
        watch = _Watch()
        self._watches[job_id].add(watch)
        try:
            snapshot = await self._snapshot(job_id, after)
            position = snapshot.job.sequence
            if after is None:
                yield snapshot
            if snapshot.is_final and after in (None, position):
                return
            watch.read_to = position if after is None else after
            self._mark(job_id)
            while True:
                event = await watch.next()
                yield event
                if event.is_final:
                    return
        finally:
            self._watches[job_id].discard(watch)
            if not self._watches[job_id]:
                del self._watches[job_id]

    async def _snapshot(self, job_id: uuid.UUID, after: int | None) -> Snapshot:
        rows = await self._postgres.fetch(_SNAPSHOT, job_id, ledger=Ledger())
        if not rows:
            raise NotFound(f"There is no job {job_id}.")
        job = job_of(rows[0])
        if after is not None and not 0 <= after <= job.sequence:
            raise BadInput(f"`after` is {after}, but the job's events are numbered 1 to {job.sequence} so far.")
        return Snapshot(job)

    def _on_wake(self, payload: str) -> None:
        job_id = uuid.UUID(payload)
        self._following.wake(job_id)
        if job_id in self._watches:
            self._mark(job_id)

    def _on_connect(self) -> None:
        self._following.reconnected()
        for job_id in self._watches:
            self._mark(job_id)

    def _mark(self, job_id: uuid.UUID) -> None:
        self._marked.add(job_id)
        self._woken.set()

    async def _read(self) -> None:
        try:
            while True:
                try:
                    await self._read_marked()
                except Exception:  # noqa: BLE001 - a defect, logged: those who watch now are told, those who come later are served
                    _log.exception("job_reader_failed")
                    self._fail_watches()
        finally:
            self._fail_watches()

    def _fail_watches(self) -> None:
        for watch in [watch for watches in self._watches.values() for watch in watches]:
            watch.fail(self._closed())

    def _closed(self) -> StoreUnavailable:
        return StoreUnavailable(self._postgres.store, "Jobs are no longer watched here. Watch again with `after`.")

    async def _read_marked(self) -> None:
        shortest, longest = _BACK_OFF_S
        wait = shortest
        while True:
            await self._woken.wait()
            self._woken.clear()
            marked, self._marked = self._marked, set()
            try:
                await self._deliver(marked)
                wait = shortest
            except AxionError as error:
                _log.warning("job_events_unreadable", code=error.code.value, retry_in_s=wait)
                await asyncio.sleep(wait)
                wait = min(wait * 2, longest)
                for job_id in marked:
                    self._mark(job_id)

    async def _deliver(self, marked: Iterable[uuid.UUID]) -> None:
        """A page of each marked job; a job whose page was full is marked again."""
        after = {job_id: read_to for job_id in marked if (read_to := self._read_to(job_id)) is not None}
        if not after:
            return
        rows = await self._postgres.fetch(_EVENTS, list(after), list(after.values()), _PAGE, ledger=Ledger())
        events: defaultdict[uuid.UUID, list[JobEvent]] = defaultdict(list)
        for row in rows:
            events[row["job_id"]].append(event_of(row))
        for job_id, page in events.items():
            for watch in self._watches.get(job_id, ()):
                if watch.read_to is not None and watch.read_to >= after[job_id]:  # else it came during the read
                    watch.add(page)
            if len(page) == _PAGE:
                self._mark(job_id)

    def _read_to(self, job_id: uuid.UUID) -> int | None:
        """Where the watcher furthest behind stands."""
        return min(
            (watch.read_to for watch in self._watches.get(job_id, ()) if watch.read_to is not None), default=None
        )
