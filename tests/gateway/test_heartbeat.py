"""What a worker runs and may run no more is stopped, by attempt: it may have taken over a job of its own."""

import asyncio

from loaders.jobs.attempts import Attempt, Attempts
from loaders.jobs.job import JsonObject
from loaders.jobs.store import JobStore
from resolvers.jobs.heartbeat import Heartbeat
from resolvers.jobs.run import Runner, Running
from tests.loaders.jobs.database import JobDatabase, opened
from tests.loaders.jobs.driving import Admin, place_of, started


async def test_an_attempt_is_stopped_once_the_next_one_runs(job_stack: JobDatabase, job_admin: Admin) -> None:
    async with opened(job_stack.app_url) as app, opened(job_stack.worker_url) as worker:
        attempts = Attempts(worker)
        job, first = await started(JobStore(app), attempts, job_admin)
        await attempts.release(first)
        again = await attempts.start(job.id, queue_id=await place_of(job_admin, job))
        assert again is not None
        runner = Runner(attempts, {}, None, max_attempts=3, back_off_s=1, ended=lambda *_: None)  # type: ignore[arg-type]  # starts none
        before, now = running(first), running(Attempt(job.id, again.attempts))
        runner.running |= {each.attempt: each for each in (before, now)}
        heartbeat = Heartbeat(runner, every_s=0.05, lost_after_s=60)
        beating = asyncio.create_task(heartbeat.run())
        async with asyncio.timeout(10):
            await asyncio.wait((before.task,))
        assert (before.reason, now.reason) == ("lost", None)
        await attempts.fail(now.attempt, {})
        async with asyncio.timeout(10):
            await asyncio.wait((now.task,))
        assert now.reason == "lost"
        beating.cancel()


def running(attempt: Attempt) -> Running:
    async def work() -> JsonObject:
        await asyncio.Event().wait()
        return {}

    return Running(attempt, asyncio.create_task(work()))
