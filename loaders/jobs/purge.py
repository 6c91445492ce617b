"""Removes jobs that ended long ago, and their events."""

from datetime import datetime
from typing import Final

from sqlalchemy import text

from loaders.postgres.client import Postgres

BATCH: Final = 500

_PURGE = text(
    "WITH ended AS MATERIALIZED (SELECT id FROM public.jobs WHERE finished_at < :before "
    "ORDER BY finished_at LIMIT :batch FOR UPDATE SKIP LOCKED) "
    "DELETE FROM public.jobs USING ended WHERE jobs.id = ended.id RETURNING jobs.id"
)


async def purge(postgres: Postgres, *, before: datetime) -> int:
    """How many were removed, at most `BATCH`: those that reached their final state before an instant, eldest first.

    Any number may run at once: each takes other jobs. Events go with their job. Needs the worker role.
    """
    async with postgres.transaction() as session:
        removed = await session.execute(_PURGE, {"before": before, "batch": BATCH})
        return len(removed.all())
