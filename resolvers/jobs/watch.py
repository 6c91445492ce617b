"""Watching jobs."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import UUID

from loaders.jobs.job import JobEvent, Snapshot
from resolvers.context import Context
from resolvers.jobs.visible import visible_job


async def watch_job(
    context: Context, job_id: UUID, *, after: int | None = None
) -> AsyncGenerator[Snapshot | JobEvent, None]:
    """As `JobWatcher.watch`; a job the subject may not see is `NotFound`."""
    await visible_job(context, job_id)
    async with aclosing(context.stores.jobs.watch(job_id, after=after)) as items:
        async for item in items:
            yield item
