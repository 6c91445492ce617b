"""Mutations of profiling schedules of remote tables, for the dataset's administrators."""

from typing import Any

import strawberry

from loaders.tables.uuid7 import uuid7
from resolvers.context import Context
from resolvers.gen.datasets import require_dataset_admin
from resolvers.idempotency import MutationRequest
from resolvers.jobs.kinds.table_profile_refresh import Refresh
from resolvers.permissions.fields import OnRow
from resolvers.profiles.recurrence import checked
from resolvers.profiles.schedule import end_schedule, resume_schedule, set_schedule
from schema.gen.row import GenRowFilter
from schema.mapping.ids import uuid_key
from schema.mapping.mutation import as_json, idempotent_mutation
from schema.mapping.payload import make_payload
from schema.mapping.write_inputs import EXPECTED_UPDATED_AT
from schema.scalars import BigInt, DateTime

GenTableProfileScheduleSetPayload = make_payload(
    "GenTableProfileScheduleSetPayload", "schedule", "GenTableProfileSchedule", "The schedule was set or deleted."
)
GenTableProfileScheduleResumePayload = make_payload(
    "GenTableProfileScheduleResumePayload", "schedule", "GenTableProfileSchedule", "The schedule was resumed."
)


@strawberry.input(description="A recurrence: either `cron` with a `timeZone`, or `everyMinutes`.")
class GenRecurrence:
    cron: str | None = strawberry.field(
        description="Minute, hour, day of the month, month and day of the week, such as `30 2 * * mon-fri`; at most "
        "once every five minutes. A local time that the clocks skip is moved later; one that occurs twice runs once, "
        "unless the hour is `*`.",
        default=None,
    )
    time_zone: str | None = strawberry.field(
        description="IANA time zone in which `cron` is evaluated, such as `Europe/Zurich`.", default=None
    )
    every_minutes: int | None = strawberry.field(
        description="Minutes between runs, counted from now: 5 to 527,040.", default=None
    )


@strawberry.input(description="Which remote table to profile, when, and how.")
class GenTableProfileScheduleSetInput:
    dataset_id: strawberry.ID = strawberry.field(description="Global id of the dataset.")
    table_name: str = strawberry.field(description="Name of the table, as the engine has it.")
    schedule: GenRecurrence | None = strawberry.field(description="When to profile; null deletes the schedule.")
    sample_rows: int | None = strawberry.field(
        description="The maximum number of rows to read each time; 0 reads metadata only. All rows unless given.",
        default=None,
    )
    where: GenRowFilter | None = strawberry.field(  # type: ignore[valid-type]
        description="Only rows that satisfy this filter, such as those of a partition.", default=None
    )
    exclude_columns: list[str] | None = strawberry.field(
        description="Columns that are not read, in addition to those that curation hides.", default=None
    )
    max_bytes: BigInt | None = strawberry.field(
        description="A refresh that would read more bytes is refused before it reads; the gateway's limit unless "
        "given.",
        default=None,
    )
    expected_updated_at: DateTime | None = strawberry.field(
        description=f"{EXPECTED_UPDATED_AT} Each run changes it, too.", default=None
    )


async def _set(context: Context, given: GenTableProfileScheduleSetInput, asked: MutationRequest) -> Any:
    dataset_id, expected = uuid_key(given.dataset_id, "GenDataset"), given.expected_updated_at
    if given.schedule is None:
        ended = await end_schedule(context, dataset_id, given.table_name, asked, expected_updated_at=expected)
        return GenTableProfileScheduleSetPayload(key=(ended or uuid7(),))
    recurrence = checked(
        cron=given.schedule.cron, time_zone=given.schedule.time_zone, every_minutes=given.schedule.every_minutes
    )
    refresh = Refresh(
        dataset_id,
        given.table_name,
        sample_rows=given.sample_rows,
        max_bytes=None if given.max_bytes is None else int(given.max_bytes),
        exclude=tuple(given.exclude_columns or ()),
        where=as_json(given.where),
    )
    return GenTableProfileScheduleSetPayload(
        key=(await set_schedule(context, refresh, recurrence, asked, expected_updated_at=expected),)
    )


@strawberry.input(description="The table whose schedule to resume.")
class GenTableProfileScheduleResumeInput:
    dataset_id: strawberry.ID = strawberry.field(description="Global id of the dataset.")
    table_name: str = strawberry.field(description="Name of the table, as the engine has it.")
    expected_updated_at: DateTime | None = strawberry.field(
        description=f"{EXPECTED_UPDATED_AT} Each run changes it, too.", default=None
    )


async def _resume(context: Context, given: GenTableProfileScheduleResumeInput, asked: MutationRequest) -> Any:
    dataset_id = uuid_key(given.dataset_id, "GenDataset")
    resumed = await resume_schedule(
        context, dataset_id, given.table_name, asked, expected_updated_at=given.expected_updated_at
    )
    return GenTableProfileScheduleResumePayload(key=(resumed,))


async def _administers(
    context: Context, given: GenTableProfileScheduleSetInput | GenTableProfileScheduleResumeInput
) -> None:
    await require_dataset_admin(context, uuid_key(given.dataset_id, "GenDataset"))


_DATASET_ADMINS = OnRow(_administers)


@strawberry.type
class ProfileScheduleMutation:
    gen_table_profile_schedule_set = idempotent_mutation(
        _set,
        takes=GenTableProfileScheduleSetInput,
        answers=GenTableProfileScheduleSetPayload,
        guard=_DATASET_ADMINS,
        description="Sets the schedule by which a remote table is profiled, by jobs that act as you; or deletes it. "
        "For administrators of the dataset.",
    )
    gen_table_profile_schedule_resume = idempotent_mutation(
        _resume,
        takes=GenTableProfileScheduleResumeInput,
        answers=GenTableProfileScheduleResumePayload,
        guard=_DATASET_ADMINS,
        description="Resumes a paused schedule, with jobs that act as you. For administrators of the dataset.",
    )
