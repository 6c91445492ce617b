"""A job that stays queued, whatever workers run: its place in the queue is for tomorrow."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import sqlalchemy as sa

from gateway.settings import Settings
from loaders.jobs.store import STORE, JobStore, create_within
from loaders.postgres.client import Postgres
from resolvers.jobs.kinds import table_profile_refresh

_POSTPONE = """
UPDATE procrastinate.procrastinate_jobs SET scheduled_at = now() + interval '1 day'
WHERE id = (SELECT procrastinate_job_id FROM public.jobs WHERE id = :job)
"""


@asynccontextmanager
async def postponed_job(settings: Settings, subject: str) -> AsyncIterator[UUID]:
    """Of the subject; cancelled at the end."""
    url = settings.databases.axion_sense_tasks.worker_url.get_secret_value()
    postgres = await Postgres.open(STORE, url, pool_max=1, statement_timeout_ms=15_000)
    arguments = table_profile_refresh.Refresh(uuid4(), "none").to_json()
    async with postgres.transaction() as session:
        made = await create_within(
            session, kind=table_profile_refresh.NAME, subject=subject, arguments=arguments, lock=str(uuid4())
        )
        await session.execute(sa.text(_POSTPONE), {"job": made.id})
    yield made.id
    await JobStore(postgres).cancel(made.id)
    await postgres.close()
