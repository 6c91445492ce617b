"""Which jobs a subject may see: those it started; system administrators see all."""

from uuid import UUID

from loaders.errors import NotFound
from loaders.jobs.job import Job
from loaders.jobs.store import STORE, JobStore
from resolvers.context import Context
from resolvers.permissions.scopes import require_scope_to_read


def job_store(context: Context) -> JobStore:
    return JobStore(context.stores.postgres[STORE])


async def visible_job(context: Context, job_id: UUID) -> Job:
    """`Unauthenticated` without a subject. `NotFound` for another user's job, too, as if it did not exist."""
    context.verdicts.require_subject()
    require_scope_to_read(context.subject, (STORE,))
    job = await job_store(context).get(job_id, ledger=context.ledger, subject=context.subject.id)
    if job is None and await context.verdicts.is_admin():
        job = await job_store(context).get(job_id, ledger=context.ledger)
    if job is None:
        raise NotFound(f"There is no job {job_id}.")
    return job
