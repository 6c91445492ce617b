"""Mutations of jobs that are executed once per `Idempotency-Key`."""

from collections.abc import Awaitable, Callable
from typing import cast
from uuid import UUID

from loaders.jobs.job import Job
from loaders.jobs.store import STORE
from loaders.postgres.client import WriteSession
from loaders.postgres.stored_table import Key
from loaders.postgres.write import transaction
from loaders.tables.axion_sense_tasks import jobs
from loaders.tables.describe import describe
from resolvers.context import Context
from resolvers.idempotency import MutationRequest, once
from resolvers.jobs.visible import visible_job

_JOBS = describe(jobs.Job, STORE)


async def job_once(
    context: Context, asked: MutationRequest | None, work: Callable[[WriteSession], Awaitable[Job]]
) -> Job:
    """The job that `work` starts or changes. When that was done before under the request's key, the job as it is now.

    Raises what `once` raises, and `NotFound` when the job no longer exists. Without `asked` nothing is remembered.
    """
    done: list[Job] = []
    async with transaction(context.stores.postgres[STORE], context.ledger) as within:

        async def keyed() -> Key:
            done.append(await work(within.session))
            return (done[0].id,)

        key = await once(context, within, asked, about=_JOBS, work=keyed)
    if done:
        return done[0]
    return await visible_job(context, cast(UUID, key[0]))
