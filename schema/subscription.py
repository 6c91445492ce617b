"""The subscription root: the life of jobs, over `graphql-transport-ws` and SSE."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from enum import Enum
from typing import Annotated, Any

import strawberry

from loaders.errors import BadInput
from loaders.jobs.job import JobEvent, Snapshot, State
from loaders.read import Value
from resolvers.context import Context
from resolvers.jobs.watch import follow_jobs, watch_job
from resolvers.permissions.fields import ByRows
from schema.mapping.enums import described_enum
from schema.mapping.filters import uuid_key
from schema.mapping.payload import changed_row
from schema.scalars import JSON, BigInt, DateTime, bigint, date_time


@strawberry.enum(description="What an event of a job tells.")
class JobEventKind(Enum):
    SNAPSHOT = strawberry.enum_value("snapshot", description="The job as it was when the watch began.")
    STATE = strawberry.enum_value("state", description="The job went into another state.")
    PROGRESS = strawberry.enum_value("progress", description="The job got on; may be coalesced for slow readers.")
    CANCEL_REQUESTED = strawberry.enum_value("cancel_requested", description="Somebody asked to cancel the job.")


@strawberry.type(name="JobEvent", description="Something that happened to a job.")
class JobEventNode:
    key: strawberry.Private[tuple[Value, ...]]
    sequence: BigInt = strawberry.field(description="Number of the event in its job: what to pass as `after`.")
    kind: JobEventKind = strawberry.field(description="What the event tells.")
    payload: JSON = strawberry.field(description="What changed.")
    is_final: bool = strawberry.field(description="The job has ended; no event follows.")
    created_at: DateTime = strawberry.field(description="When it happened.")
    job = changed_row("Job", "The job, as it stands now.")

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
    """The argument, else what an SSE client sent as `Last-Event-ID`."""
    if after is not strawberry.UNSET and after is not None:
        return int(after)
    if last_event_id is None:
        return None
    if not last_event_id.isdecimal() or len(last_event_id) > 18:
        raise BadInput("`Last-Event-ID` is not the id of an event of this subscription.")
    return int(last_event_id)


JobState = described_enum(
    State,
    "JobState",
    "Where a job stands. `Job.state`, its filters and the payloads of events spell it in lower case.",
    {
        State.QUEUED: "It waits for a worker.",
        State.RUNNING: "A worker has it.",
        State.SUCCEEDED: "It is over, and has a result.",
        State.FAILED: "It is over, and has an error.",
        State.CANCELLED: "It is over, since somebody asked for that.",
    },
)


@strawberry.input(description="Which jobs to follow; all that are given must hold.")
class JobsFollowed:
    kinds: list[str] | None = strawberry.field(
        description="Of one of these kinds, such as `table_profile_refresh`.", default=None
    )
    states: list[JobState] | None = strawberry.field(  # type: ignore[valid-type]
        description="While in one of these states: when it goes into another, it is not told.", default=None
    )


@strawberry.type(description="A job that has changed, as it stands.")
class JobChange:
    key: strawberry.Private[tuple[Value, ...]]
    sequence: BigInt = strawberry.field(description="Number of the newest event of the job that it takes in.")
    state: JobState = strawberry.field(description="Where the job stands.")  # type: ignore[valid-type]
    job = changed_row("Job", "The job.")


async def _jobs_updated(
    info: strawberry.Info[Context, None],
    where: Annotated[JobsFollowed | None, strawberry.argument(description="Only jobs that match.")] = None,
) -> AsyncGenerator[JobChange, None]:
    kinds, states = (None, None) if where is None else (where.kinds, where.states)
    async with aclosing(follow_jobs(info.context, kinds=kinds, states=states)) as jobs:
        async for job in jobs:
            yield JobChange(key=(job.id,), sequence=bigint(job.sequence), state=job.state)


@strawberry.type(description="Everything that can be watched.")
class Subscription:
    job_updated = strawberry.subscription(
        resolver=_job_updated,
        metadata={"guard": ByRows("a job is watched by who sees it, asked at the start and while it is open")},
        description="The life of a job: a snapshot, then each event, up to its final state. Resume with `after`.",
    )
    jobs_updated = strawberry.subscription(
        resolver=_jobs_updated,
        metadata={"guard": ByRows("one's own jobs, and all for administrators, who are asked about while it is open")},
        description="Your jobs, for administrators all: those that are not over, then each that changes, as it stands. "
        "Changes that come faster than they are read are told as one; after a lost connection one may be told twice.",
    )
