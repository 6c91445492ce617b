"""Subscriptions to jobs."""

import asyncio
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from typing import TypeVar
from uuid import UUID

from loaders.jobs.follow import Fits
from loaders.jobs.job import Job, JobEvent, Snapshot, State
from loaders.jobs.store import STORE
from resolvers.context import Context
from resolvers.jobs.visible import visible_job
from resolvers.permissions.scopes import require_scope_to_read
from resolvers.permissions.verdicts import ADMIN

T = TypeVar("T")


async def watch_job(
    context: Context, job_id: UUID, *, after: int | None = None
) -> AsyncGenerator[Snapshot | JobEvent, None]:
    """Watches a job as `JobWatcher.watch` does. `NotFound` for a job the subject may not see.

    An administrator's permission to watch another user's job is checked again while the stream is open: when it is
    lost, the stream ends with `Forbidden`, or `PermissionsUnavailable`, within about a second.
    """
    job = await visible_job(context, job_id)
    async with aclosing(context.stores.jobs.watch(job_id, after=after)) as items:
        if job.subject == context.subject.id:
            async for item in items:
                yield item
            return
        async with aclosing(_while_admin(context, items)) as allowed:
            async for item in allowed:
                yield item


async def follow_jobs(
    context: Context, *, kinds: Collection[str] | None, states: Collection[State] | None
) -> AsyncGenerator[Job, None]:
    """Follows jobs as `JobFollowing.follow` does: the subject's own, or all for administrators, as long as they are
    that.

    `Unauthenticated` without a subject; `Forbidden` and `PermissionsUnavailable` as for `watch_job`.
    """
    context.verdicts.require_subject()
    require_scope_to_read(context.subject, (STORE,))
    admin = await context.verdicts.is_admin()
    fits = Fits(
        None if admin else context.subject.id,
        None if kinds is None else frozenset(kinds),
        None if states is None else frozenset(states),
    )
    jobs = context.stores.jobs.follow(fits)
    async with aclosing(jobs), aclosing(_while_admin(context, jobs) if admin else jobs) as allowed:
        async for job in allowed:
            yield job


async def _while_admin(context: Context, items: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    assert context.rechecks is not None
    lost = asyncio.ensure_future(context.rechecks.until_lost(context.subject.id, ADMIN))
    try:
        while True:
            following = asyncio.ensure_future(anext(items, None))
            try:
                await asyncio.wait((following, lost), return_when=asyncio.FIRST_COMPLETED)
                if lost.done():
                    lost.result()
                item = following.result()
            finally:
                if not following.done():
                    following.cancel()
                    await asyncio.gather(following, return_exceptions=True)
            if item is None:
                return
            yield item
    finally:
        lost.cancel()
        await asyncio.gather(lost, return_exceptions=True)
