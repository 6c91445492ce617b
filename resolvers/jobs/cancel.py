"""Cancelling jobs."""

from uuid import UUID

from loaders.jobs.job import Job
from resolvers.context import Context
from resolvers.jobs.visible import job_store, visible_job


async def cancel_job(context: Context, job_id: UUID) -> Job:
    """As `JobStore.cancel`; a job the subject may not see is `NotFound`."""
    await visible_job(context, job_id)
    return await job_store(context).cancel(job_id)
