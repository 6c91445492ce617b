"""Looks up several jobs at once, for those who start jobs by schedule. One statement each."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from loaders.jobs.changes import JOBS
from loaders.jobs.job import JsonObject, State
from loaders.postgres.write import Transaction


@dataclass(frozen=True, slots=True)
class Outcome:
    """`error` has code and message."""

    subject: str
    state: State
    error: JsonObject | None


async def known_jobs(within: Transaction, ids: Collection[UUID]) -> frozenset[UUID]:
    """The ids among these that exist."""
    rows = await within.rows(select(JOBS.c.id).where(JOBS.c.id.in_(ids)))
    return frozenset(row.id for row in rows)


async def arguments_under_way(within: Transaction, kind: str) -> Sequence[JsonObject]:
    """The arguments of every queued or running job of that kind, whoever started it."""
    under_way = JOBS.c.state.in_([State.QUEUED.value, State.RUNNING.value])
    rows = await within.rows(select(JOBS.c.arguments).where(under_way, JOBS.c.kind == kind))
    return [row.arguments for row in rows]


async def outcomes(within: Transaction, ids: Collection[UUID]) -> Mapping[UUID, Outcome]:
    """By job; those that are no longer kept are left out."""
    rows = await within.rows(select(JOBS.c.id, JOBS.c.subject, JOBS.c.state, JOBS.c.error).where(JOBS.c.id.in_(ids)))
    return {row.id: Outcome(row.subject, State(row.state), row.error) for row in rows}
