"""The subscription root: events of jobs, over `graphql-transport-ws` and SSE."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from enum import Enum
from typing import Annotated, Any

import strawberry

from loaders.errors import BadInput
from loaders.jobs.job import JobEvent, Snapshot
from loaders.read import Value
from resolvers.context import Context
from resolvers.jobs.watch import follow_jobs, watch_job
from resolvers.permissions.fields import ByRows
from schema.job_state import JobState
from schema.mapping.ids import uuid_key
from schema.mapping.payload import changed_row
from schema.scalars import JSON, BigInt, DateTime, bigint, date_time


@strawberry.enum(description="The kind of a job's event.")
class JobEventKind(Enum):
    SNAPSHOT = strawberry.enum_value("snapshot", description="The job as it was when the watch began.")
    STATE = strawberry.enum_value("state", description="The job changed its state.")
    PROGRESS = strawberry.enum_value(
        "progress", description="The job made progress; may be coalesced for slow readers."
    )
    CANCEL_REQUESTED = strawberry.enum_value("cancel_requested", description="Cancelling the job was requested.")


@strawberry.type(name="JobEvent", description="An event of a job.")
class JobEventNode:
    key: strawberry.Private[tuple[Value, ...]]
    sequence: BigInt = strawberry.field(description="Number of the event within its job, to pass as `after`.")
    kind: JobEventKind = strawberry.field(description="The kind of the event.")
    payload: JSON = strawberry.field(description="What changed.")
    is_final: bool = strawberry.field(description="The job has ended; no event follows.")
    created_at: DateTime = strawberry.field(description="When it happened.")
    job = changed_row("Job", "The job as it is now.")

    @property
    def event_id(self) -> str:
        """The SSE `id`, which a client sends back as `Last-Event-ID`."""
        return str(self.sequence)


def event_node(event: Snapshot | JobEvent) -> JobEventNode:
    if isinstance(event, Snapshot):
        job = event.job
        payload: dict[str, Any] = {"state": job.state, "progress": job.progress, "message": job.message}
        at = job.finished_at or job.started_at or job.created_at
        sequence, kind, key = job.sequence, JobEventKind.SNAPSHOT, job.id
    else:
        payload, at = dict(event.payload), event.created_at
        sequence, kind, key = event.sequence, JobEventKind(event.kind.value), event.job_id
    return JobEventNode(
        key=(key,),
        sequence=bigint(sequence),
        kind=kind,
        payload=JSON(payload),
        is_final=event.is_final,
        created_at=date_time(at),
    )


async def _job_updated(
    info: strawberry.Info[Context, None],
    id: Annotated[strawberry.ID, strawberry.argument(description="Global id of the job.")],
    after: Annotated[
        BigInt | None, strawberry.argument(description="Only events after this `sequence`, and no snapshot.")
    ] = strawberry.UNSET,
) -> AsyncGenerator[JobEventNode, None]:
    job_id = uuid_key(id, "Job")
    async for event in watch_job(info.context, job_id, after=_resumed(after, info.context.last_event_id)):
        yield event_node(event)


def _resumed(after: int | None, last_event_id: str | None) -> int | None:
    """The argument `after`, else the `Last-Event-ID` of an SSE client."""
    if after is not strawberry.UNSET and after is not None:
        return int(after)
    if last_event_id is None:
        return None
    if not last_event_id.isdecimal() or len(last_event_id) > 18:
        raise BadInput("`Last-Event-ID` is not the id of an event of this subscription.")
    return int(last_event_id)


@strawberry.input(description="Which jobs to follow; all given conditions must hold.")
class JobsFollowed:
    kinds: list[str] | None = strawberry.field(
        description="Only jobs of these kinds, such as `table_profile_refresh`.", default=None
    )
    states: list[JobState] | None = strawberry.field(
        description="Only while in one of these states: a change to another state is not reported.", default=None
    )


@strawberry.type(description="The current state of a job that has changed.")
class JobChange:
    key: strawberry.Private[tuple[Value, ...]]
    sequence: BigInt = strawberry.field(description="Number of the job's newest event that it includes.")
    state: JobState = strawberry.field(description="The state of the job.")
    job = changed_row("Job", "The job.")


async def _jobs_updated(
    info: strawberry.Info[Context, None],
    where: Annotated[
        JobsFollowed | None, strawberry.argument(description="Only jobs that satisfy this filter.")
    ] = None,
) -> AsyncGenerator[JobChange, None]:
    kinds, states = (None, None) if where is None else (where.kinds, where.states)
    async with aclosing(follow_jobs(info.context, kinds=kinds, states=states)) as jobs:
        async for job in jobs:
            yield JobChange(key=(job.id,), sequence=bigint(job.sequence), state=job.state)


@strawberry.type(description="Everything that can be subscribed to.")
class Subscription:
    job_updated = strawberry.subscription(
        resolver=_job_updated,
        metadata={"guard": ByRows("a job is watched by who sees it, asked at the start and while it is open")},
        description="The events of a job: a snapshot, then each event up to its final state. Resume with `after`.",
    )
    jobs_updated = strawberry.subscription(
        resolver=_jobs_updated,
        metadata={"guard": ByRows("one's own jobs, and all for administrators, who are asked about while it is open")},
        description="Your jobs, all jobs for administrators: first those that have not ended, then each job that "
        "changes. Changes that arrive faster than they are read are merged; after a lost connection one may be "
        "repeated.",
    )
