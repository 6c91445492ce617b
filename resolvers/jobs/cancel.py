"""Cancelling jobs."""

from uuid import UUID

from loaders.jobs.job import Job
from loaders.jobs.store import cancel_within
from resolvers.context import Context
from resolvers.idempotency import MutationRequest
from resolvers.jobs.repeatable import job_once
from resolvers.jobs.visible import visible_job


async def cancel_job(context: Context, job_id: UUID, asked: MutationRequest | None = None) -> Job:
    """Cancels a job as `JobStore.cancel` does. `NotFound` for a job the subject may not see. For `asked`, see
    `job_once`.
    """
    await visible_job(context, job_id)
    return await job_once(context, asked, lambda session: cancel_within(session, job_id))
