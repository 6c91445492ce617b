"""The parents of dashboards' filters. Each function is one statement."""

from collections.abc import Collection
from typing import Final, cast
from uuid import UUID

import sqlalchemy as sa

from loaders.postgres.write import Transaction
from loaders.tables.axion_gen.dashboards import DashboardFilter

_LOCK: Final = 0x66696C74657273  # of everyone who gives a filter another parent
_filters: Final = cast(sa.Table, DashboardFilter.__table__)


async def lock_lines(within: Transaction) -> None:
    """Takes a lock that every change of a filter's parent takes, until the transaction ends."""
    await within.rows(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


async def line_above(within: Transaction, filter_id: UUID) -> Collection[UUID]:
    """The filter and its ancestors, each once, even if they form a cycle."""
    start = sa.select(_filters.c.id, _filters.c.parent_filter_id).where(_filters.c.id == filter_id)
    line = start.cte("line", recursive=True)
    step = sa.select(_filters.c.id, _filters.c.parent_filter_id).join(line, _filters.c.id == line.c.parent_filter_id)
    line = line.union(step)
    return {row.id for row in await within.rows(sa.select(line.c.id))}
