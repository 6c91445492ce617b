"""Profiling schedules of tables: rows of `table_profile_schedules`. Each function is one statement.

Rows that are taken are locked until the transaction ends, and rows locked by others are skipped, so any number of
workers can take rows at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

import sqlalchemy as sa
from aiodataloader import DataLoader
from sqlalchemy.dialects.postgresql import insert

from loaders.gen.stored import SCHEDULES
from loaders.jobs.job import JsonObject
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from loaders.postgres.write import Transaction
from loaders.tables.uuid7 import uuid7

_schedules: Final = SCHEDULES.model

Place: TypeAlias = tuple[datetime, UUID]
"""The position of a due schedule: since when it is due, and its id."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Its jobs act as `owner_subject`. It has either `cron` with a time zone, or `every_minutes`. `refresh` has the
    options of each job.
    """

    id: UUID
    owner_subject: str
    dataset_id: UUID
    table_name: str
    cron: str | None
    time_zone: str | None
    every_minutes: int | None
    refresh: JsonObject
    is_paused: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """A schedule that is due since `at`."""

    schedule: Schedule
    at: datetime

    @property
    def place(self) -> Place:
        return self.at, self.schedule.id


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A schedule that does not have the outcome of its last job yet."""

    schedule: Schedule
    job_id: UUID


async def put_schedule(
    within: Transaction,
    *,
    owner_subject: str,
    dataset_id: UUID,
    table_name: str,
    cron: str | None,
    time_zone: str | None,
    every_minutes: int | None,
    refresh: JsonObject,
    next_run_at: datetime | None,
) -> UUID:
    """Creates or replaces the table's only schedule, unpaused. The outcome of earlier runs stays."""
    values = {
        "owner_subject": owner_subject,
        "cron": cron,
        "time_zone": time_zone,
        "every_minutes": every_minutes,
        "refresh": refresh,
        "next_run_at": next_run_at,
        "paused_at": None,
        "pause_reason": None,
    }
    row = insert(_schedules).values(id=uuid7(), dataset_id=dataset_id, table_name=table_name, **values)
    kept = row.on_conflict_do_update(
        index_elements=["dataset_id", "table_name"], set_={**values, "updated_at": sa.func.now()}
    )
    ((id_,),) = await within.rows(kept.returning(_schedules.c.id))
    found: UUID = id_
    return found


async def lock_schedule(within: Transaction, dataset_id: UUID, table_name: str) -> Schedule | None:
    of_table = (_schedules.c.dataset_id == dataset_id, _schedules.c.table_name == table_name)
    found = await within.rows(sa.select(_schedules).where(*of_table).with_for_update())
    return _schedule(found[0]) if found else None


async def take_due(within: Transaction, *, now: datetime, at_most: int, after: Place | None = None) -> Sequence[Due]:
    """Due schedules after `after`, the longest due first."""
    place = sa.tuple_(_schedules.c.next_run_at, _schedules.c.id)
    due = (
        sa.select(_schedules)
        .where(_schedules.c.next_run_at <= now, *([] if after is None else [place > after]))
        .order_by(_schedules.c.next_run_at, _schedules.c.id)
        .limit(at_most)
        .with_for_update(skip_locked=True)
    )
    return [Due(_schedule(row), row.next_run_at) for row in await within.rows(due)]


async def take_unsettled(within: Transaction, *, at_most: int, after: UUID | None = None) -> Sequence[Unsettled]:
    """Unsettled schedules after `after`, the oldest job first."""
    last = _schedules.c.last_job_id
    open_ = (
        sa.select(_schedules)
        .where(last.is_not(None), _schedules.c.last_state.is_(None), *([] if after is None else [last > after]))
        .order_by(_schedules.c.last_job_id)
        .limit(at_most)
        .with_for_update(skip_locked=True)
    )
    return [Unsettled(_schedule(row), row.last_job_id) for row in await within.rows(open_)]


async def pause_schedule(within: Transaction, id_: UUID, reason: str) -> None:
    paused = {"paused_at": sa.func.now(), "pause_reason": reason, "next_run_at": None}
    await within.rows(sa.update(_schedules).where(_schedules.c.id == id_).values(paused))


async def remove_schedule(within: Transaction, dataset_id: UUID, table_name: str) -> UUID | None:
    """Deletes the table's schedule and returns its id."""
    of_table = (_schedules.c.dataset_id == dataset_id, _schedules.c.table_name == table_name)
    rows = await within.rows(sa.delete(_schedules).where(*of_table).returning(_schedules.c.id))
    removed: UUID | None = rows[0].id if rows else None
    return removed


def _schedule(row: sa.Row[Any]) -> Schedule:
    return Schedule(
        id=row.id,
        owner_subject=row.owner_subject,
        dataset_id=row.dataset_id,
        table_name=row.table_name,
        cron=row.cron,
        time_zone=row.time_zone,
        every_minutes=row.every_minutes,
        refresh=row.refresh,
        is_paused=row.paused_at is not None,
        updated_at=row.updated_at,
    )


_EXCLUDED: Final = """
SELECT dataset_id, table_name, jsonb_array_elements_text(refresh -> 'excludeColumns') AS column_name
FROM public.table_profile_schedules WHERE dataset_id = ANY($1) AND refresh ? 'excludeColumns'
"""


class ExcludedByDatasetId(DataLoader[UUID, frozenset[tuple[str, str]]]):
    """The (table, column) pairs that the schedules of a dataset's tables exclude. One statement for the datasets
    requested together. Raises what Postgres may raise. No permission is checked here: the caller does that first.
    """

    def __init__(self, gen: Postgres, ledger: Ledger) -> None:
        super().__init__()
        self._gen = gen
        self._ledger = ledger

    async def batch_load_fn(self, dataset_ids: list[UUID]) -> list[frozenset[tuple[str, str]]]:
        found: dict[UUID, set[tuple[str, str]]] = {id_: set() for id_ in dataset_ids}
        for row in await self._gen.fetch(_EXCLUDED, dataset_ids, ledger=self._ledger):
            found[row["dataset_id"]].add((row["table_name"], row["column_name"]))
        return [frozenset(found[id_]) for id_ in dataset_ids]
