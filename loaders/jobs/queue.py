"""A job's place in procrastinate's queue, through its own SQL functions, in the caller's transaction.

The functions name their tables without a schema, so the transaction's search path is set. The app role needs USAGE on
schema `procrastinate`, INSERT on `procrastinate_jobs` and `procrastinate_events`, SELECT on `procrastinate_jobs` (whose
id is answered) and USAGE on their sequences, and nothing else. The worker role needs all rows of the schema.
"""

import uuid

import orjson
from sqlalchemy import text

from loaders.postgres.client import WriteSession

SCHEMA = "procrastinate"
QUEUE = "jobs"
TASK = "run_job"
"""The one task of the queue: its argument is the job's id, what to run is in the job's row."""

_SEARCH_PATH = text("SELECT set_config('search_path', 'procrastinate, public', true)")

_DEFER = text(
    "SELECT (procrastinate.procrastinate_defer_jobs_v1(ARRAY[ROW("
    "CAST(:queue AS varchar), CAST(:task AS varchar), 0, CAST(:lock AS text), NULL, CAST(:args AS jsonb), NULL"
    ")]::procrastinate.procrastinate_job_to_defer_v1[]))[1]"
)

_DISCARD = text("DELETE FROM procrastinate.procrastinate_jobs WHERE id = :queue_id RETURNING lock")


async def defer(session: WriteSession, job_id: uuid.UUID, *, lock: str | None = None) -> int:
    """Queues the job when the transaction commits; the id of its place. Jobs of one `lock` run one after another."""
    await session.execute(_SEARCH_PATH)
    arguments = orjson.dumps({"job_id": str(job_id)}).decode()
    queued = await session.execute(_DEFER, {"queue": QUEUE, "task": TASK, "lock": lock, "args": arguments})
    queue_id: int = queued.scalar_one()
    return queue_id


async def discard(session: WriteSession, queue_id: int) -> str | None:
    """Forgets a place whose worker is gone; its lock (worker role only)."""
    await session.execute(_SEARCH_PATH)
    lock: str | None = (await session.execute(_DISCARD, {"queue_id": queue_id})).scalar_one_or_none()
    return lock
