"""Starts the refreshes whose time has come, and notes what came of those before.

Any number of workers may do this at once: a schedule is taken under the lock of its row, and its job has an id that
follows from the schedule and the time it was due. A worker that dies between the two databases leaves the row as it
was, and whoever takes it next finds the job.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from loaders.audit.entry import Action, AuditEntry
from loaders.audit.outbox import append
from loaders.errors import BadInput, Code
from loaders.jobs.job import State
from loaders.jobs.store import create_within
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.client import OpenFga
from loaders.openfga.tuples import Check
from loaders.postgres.client import Postgres, WriteSession
from loaders.postgres.write import Transaction, transaction
from loaders.tables.axion_gen.profile_schedules import TableProfileSchedule
from loaders.tables.axion_sense_tasks.jobs import Job
from loaders.tables.uuid7 import uuid7_of
from resolvers.jobs.kinds.table_profile_refresh import NAME, Asked, asked_of
from resolvers.profiles.recurrence import checked, next_run

BATCH = 50
_RESUME = "An administrator of the dataset may resume the schedule, which then acts as them."
_LOST = f"Whom the schedule acts as does not administer the dataset any more. {_RESUME}"
_Row = sa.Row[Any]


async def start_due(gen: Postgres, tasks: Postgres, openfga: OpenFga, *, now: datetime) -> bool:
    """Whether there may be more. `StoreError`s of either database, `PermissionsUnavailable`; nothing is lost then, and
    nothing done twice.

    What was due more than once, since no worker was there, is started once. A table that is being refreshed is skipped.
    A schedule is paused whose user administers the dataset no more.
    """
    async with transaction(gen, Ledger()) as within:
        due = (
            sa.select(TableProfileSchedule.__table__)
            .where(TableProfileSchedule.next_run_at <= now)
            .order_by(TableProfileSchedule.next_run_at)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        rows = await within.rows(due)
        if not rows:
            return False
        allowed = await _allowed(openfga, rows)
        started = await _started(tasks, [row for row in rows if allowed[row.id]])
        for row in rows:
            match allowed[row.id]:
                case True:
                    await _advance(within, row, started[row.id], now)
                case False:
                    await _pause(within, row, _LOST)
    return len(rows) == BATCH and None not in allowed.values()


async def settle(gen: Postgres, tasks: Postgres) -> bool:
    """Writes how jobs ended to the schedules that started them. Whether there may be more.

    A job that is no longer kept is forgotten: it ended longer ago than jobs are kept.
    """
    async with transaction(gen, Ledger()) as within:
        table = TableProfileSchedule
        open_ = (
            sa.select(table.id, table.last_job_id, table.dataset_id, table.table_name, table.owner_subject)
            .where(table.last_job_id.is_not(None), table.last_state.is_(None))
            .order_by(table.last_job_id)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        rows = await within.rows(open_)
        if not rows:
            return False
        found = await _jobs(tasks, [row.last_job_id for row in rows])
        ended = 0
        for row in rows:
            job = found.get(row.last_job_id)
            if job is not None and not State(job.state).is_final:
                continue
            ended += 1
            outcome = {"last_job_id": None} if job is None else {"last_state": job.state, "last_error": job.error}
            await within.rows(sa.update(table).where(table.id == row.id).values(outcome))
            if job is not None and job.error is not None and job.error.get("code") == Code.FORBIDDEN:
                await _pause(within, row, f"{job.error.get('message')} {_RESUME}")
    return ended == BATCH


async def _allowed(openfga: OpenFga, rows: Sequence[_Row]) -> Mapping[UUID, bool | None]:
    """By schedule, whether its user administers the dataset; None where OpenFGA did not say, which the next look asks
    again. One call for each user."""
    allowed: dict[UUID, bool | None] = {}
    for owner in sorted({row.owner_subject for row in rows}):
        asked = {
            row.id: Check("can_admin", names.dataset(row.dataset_id)) for row in rows if row.owner_subject == owner
        }
        verdicts = await openfga.batch_check(owner, asked.values(), ledger=Ledger())
        for id_, check in asked.items():
            allowed[id_] = None if check in verdicts.undecided else check in verdicts.granted
    return allowed


async def _pause(within: Transaction, row: _Row, reason: str) -> None:
    table = TableProfileSchedule
    paused = {"paused_at": sa.func.now(), "pause_reason": reason, "next_run_at": None}
    await within.rows(sa.update(table).where(table.id == row.id).values(paused))
    facts = {"table": row.table_name, "owner": row.owner_subject, "reason": reason}
    entry = AuditEntry(Action.PROFILE_SCHEDULE_PAUSED, "", names.dataset(row.dataset_id), "", facts)
    await append(within, [entry])


async def _started(tasks: Postgres, rows: Sequence[_Row]) -> Mapping[UUID, UUID | None]:
    """By schedule, the job of this time: made now or before; None where the table is being refreshed already."""
    async with transaction(tasks, Ledger()) as within:
        made = sa.select(Job.id).where(Job.id.in_([_job_id(row) for row in rows]))
        known = {job.id for job in await within.rows(made)}
        busy = await _busy(within)
        started: dict[UUID, UUID | None] = {}
        for row in rows:
            refresh = _refresh(row)
            if (job_id := _job_id(row)) not in known:
                if (str(row.dataset_id), row.table_name) in busy:
                    started[row.id] = None
                    continue
                await _create(within.session, row, refresh, job_id)
            started[row.id] = job_id
    return started


async def _create(session: WriteSession, row: _Row, refresh: Asked, job_id: UUID) -> None:
    await create_within(
        session,
        kind=NAME,
        subject=row.owner_subject,
        arguments=refresh.to_json(),
        lock=refresh.lock,
        job_id=job_id,
    )


async def _advance(within: Transaction, row: _Row, job_id: UUID | None, now: datetime) -> None:
    values: dict[str, object] = {"last_skipped_at": now}
    if job_id is not None:
        values = {"last_run_at": now, "last_job_id": job_id, "last_state": None, "last_error": None}
    try:
        recurrence = checked(cron=row.cron, time_zone=row.time_zone, every_minutes=row.every_minutes)
    except BadInput as error:  # a zone that this machine's data no longer has
        values |= {"next_run_at": None, "last_error": {**error.extensions, "message": str(error)}}
    else:
        values["next_run_at"] = next_run(recurrence, now=now, last=row.next_run_at)
    await within.rows(sa.update(TableProfileSchedule).where(TableProfileSchedule.id == row.id).values(values))


def _refresh(row: _Row) -> Asked:
    return asked_of({**row.refresh, "datasetId": row.dataset_id, "tableName": row.table_name})


def _job_id(row: _Row) -> UUID:
    return uuid7_of(row.next_run_at, row.id.bytes + row.next_run_at.isoformat().encode())


async def _busy(within: Transaction) -> frozenset[tuple[str, str]]:
    """Dataset and table of every refresh that is queued or running, whoever started it."""
    under_way = Job.state.in_([State.QUEUED.value, State.RUNNING.value])
    rows = await within.rows(sa.select(Job.arguments).where(under_way, Job.kind == NAME))
    return frozenset((str(row.arguments.get("datasetId")), str(row.arguments.get("tableName"))) for row in rows)


async def _jobs(tasks: Postgres, ids: Sequence[UUID]) -> Mapping[UUID, _Row]:
    async with transaction(tasks, Ledger()) as within:
        chosen = sa.select(Job.id, Job.state, Job.error).where(Job.id.in_(ids))
        return {job.id: job for job in await within.rows(chosen)}
