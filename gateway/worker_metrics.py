"""What a worker's `/metrics` exports beside the gateway's: its own jobs, and the queue of all workers."""

from collections.abc import Awaitable, Callable

from prometheus_client import Counter, Gauge, Histogram

from gateway.metrics import REGISTRY, observe
from loaders.jobs.waiting import Waiting

JOBS = Counter(
    "axion_jobs",
    "Starts of jobs that ended, by what came of them: succeeded, failed, cancelled, retried, lost or stopped.",
    ("kind", "outcome"),
    registry=REGISTRY,
)
SECONDS = Histogram(
    "axion_job_seconds",
    "Time from a job's start in this worker to its end.",
    ("kind",),
    buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600),
    registry=REGISTRY,
)
QUEUED = Gauge("axion_jobs_queued", "Jobs that wait for a worker, of all workers.", registry=REGISTRY)
RUNNING = Gauge("axion_jobs_running", "Jobs that run, in all workers.", registry=REGISTRY)
OLDEST = Gauge("axion_jobs_oldest_queued_seconds", "Age of the eldest queued job; 0 without any.", registry=REGISTRY)

ReadWaiting = Callable[[], Awaitable[Waiting]]


def count_job(kind: str, outcome: str, seconds: float) -> None:
    JOBS.labels(kind, outcome).inc()
    SECONDS.labels(kind).observe(seconds)


async def observe_queue(read: ReadWaiting) -> None:
    """Reads the state of the queue. Its gauges are NaN if `axion_sense_tasks` does not answer within 2 s."""

    async def values() -> tuple[float, ...]:
        found = await read()
        return found.queued, found.running, found.oldest_s

    await observe((QUEUED, RUNNING, OLDEST), values, unread="queue_not_read")
