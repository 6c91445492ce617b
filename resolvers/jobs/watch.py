"""Watching jobs."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import UUID

from loaders.jobs.job import JobEvent, Snapshot
from resolvers.context import Context
from resolvers.jobs.visible import visible_job
from resolvers.permissions.verdicts import ADMIN


async def watch_job(
    context: Context, job_id: UUID, *, after: int | None = None
) -> AsyncGenerator[Snapshot | JobEvent, None]:
    """As `JobWatcher.watch`; a job the subject may not see is `NotFound`.

    One's own job stays one's own. Who watches another's as an administrator is asked about again while it is open:
    the stream ends with `Forbidden`, or `PermissionsUnavailable`, within about a second.
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


async def _while_admin(
    context: Context, items: AsyncGenerator[Snapshot | JobEvent, None]
) -> AsyncGenerator[Snapshot | JobEvent, None]:
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
