"""A worker process whose kinds of jobs tests steer, as a module to run. Its settings come as JSON over stdin."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from gateway.settings import Settings
from gateway.worker import work
from loaders.errors import BadInput, StoreUnavailable
from loaders.jobs.job import Job, JsonObject
from loaders.ledger import Ledger
from resolvers.context import Context
from resolvers.jobs.kinds.kind import JobContext
from resolvers.subject import Subject

_OUTAGE = StoreUnavailable("clickhouse", "clickhouse cannot be reached. Try again shortly.")


async def wait(context: JobContext, arguments: JsonObject) -> JsonObject:
    """Says that it is at work, then waits in a query of its own until nobody holds the lock. `then` may be an outage,
    which is over with the second attempt.
    """
    url = str(arguments["url"])
    connection = await asyncpg.connect(url, server_settings={"application_name": f"job-{context.job.id}"})
    try:
        context.report(0.25, f"attempt {context.job.attempts}")
        await connection.execute("SELECT pg_advisory_lock_shared($1)", arguments["lock"])
        if arguments.get("then") == "outage" and context.job.attempts == 1:
            raise _OUTAGE
        context.report(0.75, "released")
        return {"subject": context.context.subject.id, "attempt": context.job.attempts}
    finally:
        await connection.close(timeout=5)


async def fail(context: JobContext, arguments: JsonObject) -> JsonObject:
    """Raises what it is told to; an outage is over with the third attempt."""
    match arguments["how"]:
        case "bad_input":
            raise BadInput("There is no table nowhere.")
        case "bug":
            raise KeyError("password=hunter2")
        case "outage" if context.job.attempts < 3:
            raise _OUTAGE
        case _:
            return {"attempt": context.job.attempts}


@asynccontextmanager
async def context_for(job: Job) -> AsyncIterator[Context]:
    yield Context(Subject(job.subject), str(job.id), stores=None, verdicts=None, ledger=Ledger())  # type: ignore[arg-type]


if __name__ == "__main__":
    given = Settings.model_validate_json(sys.stdin.buffer.read())
    asyncio.run(work(given, kinds={"wait": wait, "fail": fail}, context_for=context_for))
