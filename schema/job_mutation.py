"""Mutations of jobs."""

from typing import Any

import strawberry

from resolvers.context import Context
from resolvers.idempotency import MutationRequest
from resolvers.jobs.cancel import cancel_job
from resolvers.jobs.visible import visible_job
from resolvers.permissions.fields import OnRow
from schema.mapping.ids import uuid_key
from schema.mapping.mutation import idempotent_mutation
from schema.mapping.payload import make_payload

JobCancelPayload = make_payload(
    "JobCancelPayload", "job", "Job", "The job was cancelled, or will be once its worker has stopped it."
)


@strawberry.input(description="Which job to cancel.")
class JobCancelInput:
    id: strawberry.ID = strawberry.field(description="Global id of the job.")


async def _cancel(context: Context, given: JobCancelInput, asked: MutationRequest) -> Any:
    job = await cancel_job(context, uuid_key(given.id, "Job"), asked)
    return JobCancelPayload(key=(job.id,))


async def _seen(context: Context, given: JobCancelInput) -> None:
    await visible_job(context, uuid_key(given.id, "Job"))


_OWN = OnRow(_seen)


@strawberry.type
class JobMutation:
    job_cancel = idempotent_mutation(
        _cancel,
        takes=JobCancelInput,
        answers=JobCancelPayload,
        guard=_OWN,
        description="Cancels a job you started: at once if it is queued, otherwise as soon as its worker has stopped "
        "it.",
    )
