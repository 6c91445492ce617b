"""Starts the refreshes that are due, and records the outcome of those started before.

Any number of workers may do this at once. A schedule is taken under the lock of its row, and its job has an id that
follows from the schedule and the time it was due. A worker that dies between writing to the two databases leaves the
schedule's row unchanged, and the worker that takes it next finds the job.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from loaders.audit.entry import Action, AuditEntry
from loaders.audit.outbox import append
from loaders.errors import BadInput, Code
from loaders.gen.profile_schedules import Due, Place, Schedule, pause_schedule, take_due, take_unsettled
from loaders.gen.stored import SCHEDULES
from loaders.jobs.known import arguments_under_way, known_jobs, outcomes
from loaders.jobs.store import create_within
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.client import OpenFga
from loaders.openfga.tuples import Check
from loaders.postgres.client import Postgres, WriteSession
from loaders.postgres.row_writes import update
from loaders.postgres.write import Transaction, transaction
from loaders.tables.uuid7 import uuid7_of
from resolvers.jobs.kinds.table_profile_refresh import NAME, Refresh, refresh_of
from resolvers.profiles.recurrence import checked, next_run

BATCH = 50
_RESUME = "An administrator of the dataset may resume the schedule, which then acts as them."
_LOST = f"Whom the schedule acts as does not administer the dataset any more. {_RESUME}"


async def start_due(gen: Postgres, tasks: Postgres, openfga: OpenFga, *, now: datetime) -> None:
    """Handles each due schedule once, the longest overdue first. A schedule that stays due, because OpenFGA has not
    decided about its user, does not block the others. Raises `StoreError`s of either database and
    `PermissionsUnavailable`; nothing is lost or done twice then.

    A refresh that was due several times while no worker ran is started once. A table that is being refreshed is
    skipped. A schedule is paused when its user no longer administers the dataset.
    """
    after: Place | None = None
    while (after := await _start_some(gen, tasks, openfga, now=now, after=after)) is not None:
        pass


async def _start_some(
    gen: Postgres, tasks: Postgres, openfga: OpenFga, *, now: datetime, after: Place | None
) -> Place | None:
    """The place of the last schedule handled; None when there are no more."""
    async with transaction(gen, Ledger()) as within:
        taken = await take_due(within, now=now, at_most=BATCH, after=after)
        if not taken:
            return None
        allowed = await _allowed(openfga, [due.schedule for due in taken])
        started = await _started(tasks, [due for due in taken if allowed[due.schedule.id]])
        for due in taken:
            id_ = due.schedule.id
            match allowed[id_]:
                case True:
                    await _advance(within, due, started[id_], now)
                case False:
                    await _pause(within, due.schedule, _LOST)
    return taken[-1].place if len(taken) == BATCH else None


async def settle(gen: Postgres, tasks: Postgres) -> None:
    """Records how jobs ended in the schedules that started them. Each job is looked at once, the oldest first.

    A job that no longer exists ended longer ago than jobs are kept, and is forgotten.
    """
    after: UUID | None = None
    while (after := await _settle_some(gen, tasks, after=after)) is not None:
        pass


async def _settle_some(gen: Postgres, tasks: Postgres, *, after: UUID | None) -> UUID | None:
    """The last job that was looked at; None when there are no more."""
    async with transaction(gen, Ledger()) as within:
        taken = await take_unsettled(within, at_most=BATCH, after=after)
        if not taken:
            return None
        async with transaction(tasks, Ledger()) as of_jobs:
            found = await outcomes(of_jobs, [each.job_id for each in taken])
        for each in taken:
            job = found.get(each.job_id)
            if job is not None and not job.state.is_final:
                continue
            outcome = {"last_job_id": None} if job is None else {"last_state": job.state.value, "last_error": job.error}
            await update(within, SCHEDULES, (each.schedule.id,), outcome)
            if job is None or job.error is None or job.subject != each.schedule.owner_subject:
                continue  # the schedule may act as another user by now, whose permission was not checked
            if job.error.get("code") == Code.FORBIDDEN:
                await _pause(within, each.schedule, f"{job.error.get('message')} {_RESUME}")
    return taken[-1].job_id if len(taken) == BATCH else None


async def _allowed(openfga: OpenFga, schedules: Sequence[Schedule]) -> Mapping[UUID, bool | None]:
    """By schedule, whether its user administers the dataset; None where OpenFGA gave no verdict, so that the next round
    checks again. One call for each user.
    """
    allowed: dict[UUID, bool | None] = {}
    for owner in sorted({schedule.owner_subject for schedule in schedules}):
        asked = {
            schedule.id: Check("can_admin", names.dataset(schedule.dataset_id))
            for schedule in schedules
            if schedule.owner_subject == owner
        }
        verdicts = await openfga.batch_check(owner, asked.values(), ledger=Ledger())
        for id_, check in asked.items():
            allowed[id_] = None if check in verdicts.undecided else check in verdicts.granted
    return allowed


async def _pause(within: Transaction, schedule: Schedule, reason: str) -> None:
    await pause_schedule(within, schedule.id, reason)
    facts = {"table": schedule.table_name, "owner": schedule.owner_subject, "reason": reason}
    entry = AuditEntry(Action.PROFILE_SCHEDULE_PAUSED, "", names.dataset(schedule.dataset_id), "", facts)
    await append(within, [entry])


async def _started(tasks: Postgres, taken: Sequence[Due]) -> Mapping[UUID, UUID | None]:
    """By schedule, the job for this due time, created now or earlier; None when the table is already being
    refreshed.
    """
    async with transaction(tasks, Ledger()) as within:
        known = await known_jobs(within, [_job_id(due) for due in taken])
        busy = await _busy(within)
        started: dict[UUID, UUID | None] = {}
        for due in taken:
            schedule = due.schedule
            refresh = _refresh(schedule)
            if (job_id := _job_id(due)) not in known:
                if (str(schedule.dataset_id), schedule.table_name) in busy:
                    started[schedule.id] = None
                    continue
                await _create(within.session, schedule, refresh, job_id)
            started[schedule.id] = job_id
    return started


async def _create(session: WriteSession, schedule: Schedule, refresh: Refresh, job_id: UUID) -> None:
    await create_within(
        session,
        kind=NAME,
        subject=schedule.owner_subject,
        arguments=refresh.to_json(),
        lock=refresh.lock,
        job_id=job_id,
    )


async def _advance(within: Transaction, due: Due, job_id: UUID | None, now: datetime) -> None:
    schedule = due.schedule
    values: dict[str, object] = {"last_skipped_at": now}
    if job_id is not None:
        values = {"last_run_at": now, "last_job_id": job_id, "last_state": None, "last_error": None}
    try:
        recurrence = checked(cron=schedule.cron, time_zone=schedule.time_zone, every_minutes=schedule.every_minutes)
    except BadInput as error:  # a time zone that this machine's database no longer has
        values |= {"next_run_at": None, "last_error": {**error.extensions, "message": str(error)}}
    else:
        values["next_run_at"] = next_run(recurrence, now=now, last=due.at)
    await update(within, SCHEDULES, (schedule.id,), values)


def _refresh(schedule: Schedule) -> Refresh:
    return refresh_of({**schedule.refresh, "datasetId": schedule.dataset_id, "tableName": schedule.table_name})


def _job_id(due: Due) -> UUID:
    return uuid7_of(due.at, due.schedule.id.bytes + due.at.isoformat().encode())


async def _busy(within: Transaction) -> frozenset[tuple[str, str]]:
    """Dataset and table of every refresh that is queued or running, whoever started it."""
    under_way = await arguments_under_way(within, NAME)
    return frozenset((str(asked.get("datasetId")), str(asked.get("tableName"))) for asked in under_way)
