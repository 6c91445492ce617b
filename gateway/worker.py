"""`axion worker`: takes jobs from procrastinate's queue and runs them until it is told to stop.

SIGTERM and SIGINT stop it gracefully: it takes no new jobs, running ones may finish within `jobs.shutdown_seconds`, and
the rest are stopped and queued again. It waits for a database that is down. A worker that is killed leaves jobs without
a heartbeat, which any worker puts back into the queue.
"""

import asyncio
import math
import signal
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial

import psycopg
import structlog
from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import DeleteJobCondition
from procrastinate.jobs import Job as Place

from gateway.acting import acting_for
from gateway.chores import chores
from gateway.lifespan import open_traces
from gateway.places import Places
from gateway.settings import Jobs, Settings
from gateway.stores import open_stores
from gateway.worker_metrics import count_job
from gateway.worker_port import serve_port, worker_runtime
from loaders.errors import AxionError
from loaders.jobs.attempts import Attempts
from loaders.jobs.changes import CANCELS_CHANNEL
from loaders.jobs.listen import Listener
from loaders.jobs.queue import QUEUE, SCHEMA, TASK
from loaders.jobs.recovery import Recovery
from loaders.jobs.store import STORE
from loaders.postgres.client import Postgres
from resolvers.jobs.heartbeat import Heartbeat
from resolvers.jobs.kinds import kinds
from resolvers.jobs.kinds.kind import Run
from resolvers.jobs.run import ContextFor, Runner, TryAgain

_log = structlog.get_logger(__name__)

_POLL_S = 1.0
_BACK_OFF_S = (0.5, 10.0)


async def run_worker(settings: Settings) -> None:
    """Runs every kind of job and the recurring work beside them, on the stores under their `_worker` roles."""
    async with (
        open_stores(settings, role="worker") as stores,
        open_traces(settings.traces, process="axion-worker") as traces,
        asyncio.TaskGroup() as group,
    ):
        beside = [group.create_task(_forever(chore)) for chore in chores(stores, settings.jobs)]
        if settings.worker.port is not None:
            port = serve_port(worker_runtime(stores), host=settings.worker.host, port=settings.worker.port)
            beside.append(group.create_task(port))
        await work(
            settings,
            kinds=kinds(profile_max_bytes=settings.jobs.profile_max_bytes),
            context_for=partial(acting_for, stores=stores, max_page=settings.limits.max_page, traces=traces),
        )
        for each in beside:
            each.cancel()


async def _forever(chore: Callable[[], Awaitable[None]]) -> None:
    await chore()


async def work(settings: Settings, *, kinds: Mapping[str, Run], context_for: ContextFor) -> None:
    """Runs jobs until SIGTERM or SIGINT, or until cancelled."""
    jobs, url = settings.jobs, settings.databases.axion_sense_tasks.worker_url.get_secret_value()
    postgres = await Postgres.open(STORE, url, pool_max=1, statement_timeout_ms=settings.postgres.statement_timeout_ms)
    attempts = Attempts(postgres)
    runner = Runner(
        attempts,
        kinds,
        context_for,
        max_attempts=jobs.max_attempts,
        back_off_s=jobs.back_off_seconds,
        ended=count_job,
    )
    recovery = Recovery(postgres, stale_after_s=jobs.stale_seconds, max_attempts=jobs.max_attempts)
    heartbeat = Heartbeat(runner, every_s=jobs.heartbeat_seconds, lost_after_s=jobs.stale_seconds)
    cancels = Listener(STORE, url, CANCELS_CHANNEL, on_wake=lambda _: heartbeat.now(), on_connect=heartbeat.now)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)
    cancels.start()
    try:
        async with asyncio.TaskGroup() as group:
            sides = [group.create_task(heartbeat.run()), group.create_task(_recover(recovery, jobs.stale_seconds / 3))]
            await _work_until(stop, jobs, url, runner)
            for side in sides:
                side.cancel()
    finally:
        await cancels.close()
        await postgres.close()
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(signal_number)


async def _recover(recovery: Recovery, every_s: float) -> None:
    """Recovers lost jobs in the worker itself rather than as a job of the queue, since it must run while long jobs take
    all places.
    """
    while True:
        try:
            for job in await recovery.run():
                _log.warning("job_recovered", job_id=str(job.id), kind=job.kind, state=job.state.value)
        except AxionError as error:
            _log.warning("recovery_failed", code=error.code.value)
        await asyncio.sleep(every_s)


async def _work_until(stop: asyncio.Event, jobs: Jobs, url: str, runner: Runner) -> None:
    """Procrastinate's worker ends when its database goes away; it is restarted with back-off."""
    (shortest, longest), clock = _BACK_OFF_S, asyncio.get_running_loop().time
    wait, ready_at = shortest, math.inf

    def ready() -> None:
        nonlocal ready_at
        ready_at = clock()

    while not stop.is_set():
        ready_at = math.inf
        working = asyncio.create_task(_work(jobs, url, runner, ready), name="procrastinate worker")
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if stop.is_set():
                return
            if clock() - ready_at > longest:  # what was wrong before is over
                wait = shortest
            await working
            _log.warning("worker_ended", retry_in_s=wait)
        except (ConnectorException, psycopg.Error, OSError) as error:
            _log.warning("worker_lost_its_queue", error=type(error).__name__, retry_in_s=wait)
        finally:
            stopping.cancel()
            working.cancel()  # procrastinate's graceful shutdown
            with suppress(asyncio.CancelledError, ConnectorException, psycopg.Error, OSError):
                await working
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await stop.wait()
        wait = min(wait * 2, longest)


async def _work(jobs: Jobs, url: str, runner: Runner, ready: Callable[[], None]) -> None:
    connector = PsycopgConnector(
        conninfo=url,
        kwargs={"options": f"-c search_path={SCHEMA},public", "application_name": "axion-worker", "connect_timeout": 5},
        min_size=1,
        max_size=3,
        timeout=5.0,
    )
    app = App(connector=connector, worker_defaults={"name": "axion"})
    app.job_manager = Places(connector)

    @app.task(name=TASK, queue=QUEUE, pass_context=True, retry=_AsTheRunnerSays())
    async def run_job(context: JobContext, job_id: str) -> None:
        queue_id = context.job.id
        if queue_id is None:
            raise ValueError("a job taken from the queue has an id")
        await runner.run(uuid.UUID(job_id), queue_id=queue_id)

    async with app.open_async():
        ready()
        _log.info("worker_ready", concurrency=jobs.concurrency, kinds=sorted(runner.kinds))
        await app.run_worker_async(
            queues=[QUEUE],
            concurrency=jobs.concurrency,
            install_signal_handlers=False,
            shutdown_graceful_timeout=jobs.shutdown_seconds,
            fetch_job_polling_interval=_POLL_S,
            update_heartbeat_interval=jobs.heartbeat_seconds,
            stalled_worker_timeout=jobs.stale_seconds,
            delete_jobs=DeleteJobCondition.ALWAYS,  # the record is in `jobs`, the queue holds what is to be done
        )


class _AsTheRunnerSays(BaseRetryStrategy):
    def get_retry_decision(self, *, exception: BaseException, job: Place) -> RetryDecision | None:
        match exception:
            case TryAgain(delay_s=delay_s):
                return RetryDecision(retry_in={"milliseconds": round(delay_s * 1000)})
            case asyncio.CancelledError():  # stopped by the shutdown, and released
                return RetryDecision(retry_in={"seconds": 0})
            case _:
                return None
