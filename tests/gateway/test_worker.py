"""The worker as a process of its own, killed, stopped and cut off as in production."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import IPv4Network, IPv6Network
from typing import Any, TypeAlias

import asyncpg
import orjson
import pytest
from pydantic import SecretStr

from gateway.settings import DatabaseUrls, Jobs, Settings
from loaders.jobs.job import EventKind, Job, JobEvent, JsonObject
from loaders.jobs.store import JobStore
from loaders.jobs.watch import JobWatcher
from tests.loaders.jobs.database import JobDatabase, opened

Admin: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
StartWorker: TypeAlias = Callable[[], Awaitable[asyncio.subprocess.Process]]

LOCK = 20261121


@pytest.fixture
async def store(job_stack: JobDatabase) -> AsyncIterator[JobStore]:
    async with opened(job_stack.app_url) as postgres:
        yield JobStore(postgres)


@pytest.fixture
async def watcher(store: JobStore, job_stack: JobDatabase) -> AsyncIterator[JobWatcher]:
    watcher = JobWatcher(store.postgres, job_stack.app_url)
    watcher.start()
    yield watcher
    await watcher.close()


@pytest.fixture
async def start_worker(settings: Settings, job_stack: JobDatabase) -> AsyncIterator[StartWorker]:
    """Starts worker processes that are quick to notice; all are gone after the test."""
    urls = DatabaseUrls(
        app_url=SecretStr(job_stack.app_url),
        worker_url=SecretStr(job_stack.worker_url),
        migrate_url=SecretStr(job_stack.migrate_url),
    )
    quick = Jobs(back_off_seconds=0.05, heartbeat_seconds=0.2, stale_seconds=1.0, shutdown_seconds=0.5, max_attempts=3)
    databases = settings.databases.model_copy(update={"axion_sense_tasks": urls})
    shown = settings.model_copy(update={"databases": databases, "jobs": quick}).model_dump(mode="python")
    written = orjson.dumps(shown, default=_revealed, option=orjson.OPT_NON_STR_KEYS)
    processes: list[asyncio.subprocess.Process] = []

    async def start() -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.gateway.worker_process", stdin=PIPE, stdout=PIPE, stderr=STDOUT
        )
        processes.append(process)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(written)
        process.stdin.write_eof()
        async with asyncio.timeout(30):
            while b"worker_ready" not in (line := await process.stdout.readline()):
                assert line, "the worker ended before it was ready"
        return process

    yield start
    for process in processes:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def _revealed(value: object) -> object:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case IPv4Network() | IPv6Network():
            return str(value)
        case _:
            raise TypeError(type(value))


@asynccontextmanager
async def held(database: JobDatabase) -> AsyncIterator[None]:
    """Jobs of kind `wait` wait for the end of the body."""
    connection = await asyncpg.connect(database.admin_url)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        yield
    finally:
        await connection.close()


async def failing_job(store: JobStore, how: str) -> Job:
    return await store.create(kind="fail", subject="ann", arguments={"how": how})


class Watching:
    """A watcher of one job from its first event; `seen` are its events as (kind, state or share)."""

    def __init__(self, watcher: JobWatcher, job: Job) -> None:
        self._stream = watcher.watch(job.id, after=0)
        self.seen: list[tuple[str, object]] = []
        self._sequences: list[int] = []

    async def _events(self) -> AsyncIterator[JobEvent]:
        async for item in self._stream:
            if isinstance(item, JobEvent):
                self.seen.append((item.kind.value, item.payload.get("state", item.payload.get("progress"))))
                self._sequences.append(item.sequence)
                yield item

    async def until(self, kind: EventKind, value: object) -> JobEvent:
        async with asyncio.timeout(30):
            async for event in self._events():
                if self.seen[-1] == (kind.value, value):
                    return event
        raise AssertionError(f"the job ended without {kind} {value}: {self.seen}")

    async def end(self) -> dict[str, Any]:
        async with asyncio.timeout(30):
            last = [event async for event in self._events()][-1]
        assert last.is_final
        assert self._sequences == list(range(1, len(self._sequences) + 1))
        return last.payload


@asynccontextmanager
async def running(database: JobDatabase, store: JobStore, watcher: JobWatcher) -> AsyncIterator[tuple[Job, Watching]]:
    """A job in the middle of its query, which goes on when this is left."""
    async with held(database):
        job = await store.create(kind="wait", subject="ann", arguments={"url": database.admin_url, "lock": LOCK})
        watching = Watching(watcher, job)
        await watching.until(EventKind.PROGRESS, 0.25)
        yield job, watching


async def queries_of(admin: Admin, job: Job) -> int:
    count: int = await admin.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1", f"job-{job.id}"
    )
    return count


async def test_a_job_runs_to_its_end(
    start_worker: StartWorker, store: JobStore, watcher: JobWatcher, job_stack: JobDatabase, job_admin: Admin
) -> None:
    await start_worker()
    async with running(job_stack, store, watcher) as (job, watching):
        assert watching.seen[-1] == ("progress", 0.25)
    assert await watching.end() == {"state": "succeeded", "attempt": 1}
    assert watching.seen == [
        ("state", "queued"),
        ("state", "running"),
        ("progress", 0.25),
        ("progress", 0.75),
        ("state", "succeeded"),
    ]
    row = await job_admin.fetchrow(
        "SELECT result, progress, procrastinate_job_id FROM public.jobs WHERE id = $1", job.id
    )
    assert row is not None
    assert orjson.loads(row["result"]) == {"subject": "ann", "attempt": 1}
    assert row["progress"] == 1.0


async def test_a_running_job_is_cancelled_and_its_query_with_it(
    start_worker: StartWorker, store: JobStore, watcher: JobWatcher, job_stack: JobDatabase, job_admin: Admin
) -> None:
    await start_worker()
    async with running(job_stack, store, watcher) as (job, watching):
        assert await queries_of(job_admin, job) == 1
        await store.cancel(job.id)
        assert await watching.end() == {"state": "cancelled", "attempt": 1}
        assert watching.seen[-2:] == [("cancel_requested", None), ("state", "cancelled")]
        assert await queries_of(job_admin, job) == 0


async def test_a_job_of_a_killed_worker_is_run_again_and_ends_once(
    start_worker: StartWorker, store: JobStore, watcher: JobWatcher, job_stack: JobDatabase, job_admin: Admin
) -> None:
    first = await start_worker()
    async with running(job_stack, store, watcher) as (job, watching):
        first.send_signal(signal.SIGKILL)
        await first.wait()
        await start_worker()
        requeued = await watching.until(EventKind.STATE, "queued")
        assert requeued.payload["error"] == {
            "code": "INTERNAL_ERROR",
            "message": "The worker that ran the job went away.",
        }
        await watching.until(EventKind.STATE, "running")
    assert await watching.end() == {"state": "succeeded", "attempt": 2}
    finals = await job_admin.fetchval(
        "SELECT count(*) FROM public.job_events WHERE job_id = $1 AND payload->>'state' = 'succeeded'", job.id
    )
    assert finals == 1


async def test_a_worker_told_to_stop_hands_its_job_back_and_leaves_nothing(
    start_worker: StartWorker, store: JobStore, watcher: JobWatcher, job_stack: JobDatabase, job_admin: Admin
) -> None:
    registered = "SELECT id FROM procrastinate.procrastinate_workers"
    killed_before = set(await job_admin.fetch(registered))
    first = await start_worker()
    async with running(job_stack, store, watcher) as (job, watching):
        first.send_signal(signal.SIGTERM)
        released = await watching.until(EventKind.STATE, "queued")
        assert released.payload["error"] is None
        async with asyncio.timeout(10):
            assert await first.wait() == 0
        assert await queries_of(job_admin, job) == 0
        assert set(await job_admin.fetch(registered)) <= killed_before
        await start_worker()
        await watching.until(EventKind.STATE, "running")
    assert (await watching.end())["state"] == "succeeded"


async def test_a_worker_told_to_stop_lets_a_quick_job_finish(
    start_worker: StartWorker, store: JobStore, watcher: JobWatcher, job_stack: JobDatabase
) -> None:
    process = await start_worker()
    async with running(job_stack, store, watcher) as (_, watching):
        process.send_signal(signal.SIGTERM)
    assert await watching.end() == {"state": "succeeded", "attempt": 1}
    assert await process.wait() == 0


async def test_an_outage_is_tried_again(start_worker: StartWorker, store: JobStore, watcher: JobWatcher) -> None:
    await start_worker()
    watching = Watching(watcher, await failing_job(store, "outage"))
    assert await watching.end() == {"state": "succeeded", "attempt": 3}
    assert [told for _, told in watching.seen] == ["queued", "running"] * 3 + ["succeeded"]


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("bad_input", {"code": "BAD_USER_INPUT", "message": "There is no table nowhere."}),
        (
            "bug",
            {
                "code": "INTERNAL_ERROR",
                "message": "The job failed unexpectedly. "
                "Operators find the cause in the worker's log under the job's id.",
            },
        ),
    ],
)
async def test_other_errors_end_the_job_at_once(
    start_worker: StartWorker, store: JobStore, watcher: JobWatcher, how: str, error: dict[str, str]
) -> None:
    await start_worker()
    end = await Watching(watcher, await failing_job(store, how)).end()
    assert end == {"state": "failed", "attempt": 1, "error": error}


async def test_an_unknown_kind_fails_with_a_next_step(
    start_worker: StartWorker, store: JobStore, watcher: JobWatcher
) -> None:
    await start_worker()
    job = await store.create(kind="from_the_future", subject="ann", arguments={})
    end = await Watching(watcher, job).end()
    assert end["error"]["message"] == "This worker does not know the job kind from_the_future. Update the workers."


async def test_a_worker_outlives_its_connections(
    start_worker: StartWorker, store: JobStore, watcher: JobWatcher, job_stack: JobDatabase, job_admin: Admin
) -> None:
    await start_worker()
    role = await job_admin.fetchval(
        "SELECT DISTINCT usename FROM pg_stat_activity "
        "WHERE application_name = 'axion-worker' AND datname = current_database()"
    )
    async with running(job_stack, store, watcher) as (job, watching):
        killed = await job_admin.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", role
        )
        assert killed
        await store.cancel(job.id)
        assert (await watching.end())["state"] == "cancelled"
    next_job = Watching(watcher, await failing_job(store, "not at all"))
    assert (await next_job.end())["state"] == "succeeded"


@pytest.mark.parametrize("then", ["success", "outage"])
async def test_a_job_whose_place_was_discarded_ends_without_an_alarm(
    start_worker: StartWorker, store: JobStore, watcher: JobWatcher, job_stack: JobDatabase, job_admin: Admin, then: str
) -> None:
    """As `Recovery` does it for a worker that seems to be gone, whether the job then ends or is to be tried again."""
    process = await start_worker()
    discard = (
        "DELETE FROM procrastinate.procrastinate_jobs WHERE id = "
        "(SELECT procrastinate_job_id FROM public.jobs WHERE id = $1)"
    )
    async with held(job_stack):
        arguments: JsonObject = {"url": job_stack.admin_url, "lock": LOCK, "then": then}
        job = await store.create(kind="wait", subject="ann", arguments=arguments)
        watching = Watching(watcher, job)
        await watching.until(EventKind.PROGRESS, 0.25)
        assert await job_admin.execute(discard, job.id) == "DELETE 1"
    if then == "success":
        assert await watching.end() == {"state": "succeeded", "attempt": 1}
    else:
        await watching.until(EventKind.STATE, "queued")
        await watching.until(EventKind.STATE, "running")
        assert (await watching.end())["state"] == "succeeded"
    process.send_signal(signal.SIGTERM)
    printed, _ = await process.communicate()
    assert b"place_was_discarded" in printed
    assert b"Task exception was never retrieved" not in printed
