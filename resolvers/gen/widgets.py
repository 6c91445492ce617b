"""Answers widgets: runs a widget's query in place under the caller's guard, and reports what was done for it."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from loaders.description import Table
from loaders.errors import NotFound
from loaders.gen.dashboard import Control, Frame
from loaders.ledger import StoreUsage
from loaders.openfga import names
from resolvers.context import Context
from resolvers.gen.answer_columns import AnswerColumn, answer_columns
from resolvers.gen.groups import grouped_rows
from resolvers.gen.narrowing import Applied, Ignored, Narrowed, narrowed, require_known_names
from resolvers.gen.query_read import own_condition, query_groups, query_read, shown_rows
from resolvers.gen.table_query import TableQuery
from resolvers.gen.tables import describe_table
from resolvers.gen.watch import watching


@dataclass(frozen=True, slots=True)
class Widget:
    """The row of a widget that the caller sees. `query` is a `TableQuery` as it is stored."""

    id: UUID
    dashboard_id: UUID
    dataset_id: UUID
    table_name: str
    query: Any


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The result of the query. `sql` are the statements as they were sent, without values."""

    columns: tuple[AnswerColumn, ...]
    rows: list[dict[str, Any]]
    truncated: bool
    sql: tuple[str, ...]
    usage: StoreUsage


@dataclass(frozen=True, slots=True)
class Answered:
    """`ran` is None when no filter of `touched_by` applies to the widget, so that nothing was queried."""

    store: str
    engine: str | None
    time_zone: str
    applied: tuple[Applied, ...]
    ignored: tuple[Ignored, ...]
    ran: QueryResult | None


async def answer_widget(
    context: Context,
    widget: Widget,
    *,
    given: Mapping[str, Any],
    touched_by: Collection[str] | None,
    time_zone: str | None,
) -> Answered:
    """Widgets requested at the same time share the loads of their dashboards, places and tables.

    `NotFound` for a table that does not exist or that the caller may not see, `FilterRequired` before anything is sent,
    `BadInput` when the query or a value does not fit the table, and what the store raises.
    """
    described, frame = await asyncio.gather(
        describe_table(context, widget.dataset_id, widget.table_name), frame_of(context, widget.dashboard_id)
    )
    place = await asyncio.shield(context.gen.places.load(widget.dataset_id))
    if described is None or place is None:
        raise NotFound(f"There is no table {widget.table_name!r} in the widget's dataset.")
    query = TableQuery.model_validate(widget.query)
    controls = await seen_controls(context, frame.controls)
    require_known_names(controls, touched_by or ())
    found = narrowed(
        described,
        own_condition(query, described),
        widget_id=widget.id,
        controls=controls,
        filters=place.filters_of(widget.table_name),
        given=given,
    )
    zone = time_zone or (query.over.time_zone if query.over else None) or frame.time_zone
    ran = None
    if touched_by is None or found.touching.intersection(touched_by):
        ran = await _run(context, widget, query, described, found, zone)
    engine = context.stores.warehouses.engine(described.store)
    return Answered(described.store, engine, zone, found.applied, found.ignored, ran)


async def _run(
    context: Context, widget: Widget, query: TableQuery, described: Table, found: Narrowed, time_zone: str
) -> QueryResult:
    with watching(described, widget.dataset_id, context) as watch:
        if query.grouped:
            asked = query_groups(query, described, found.where, time_zone=time_zone, applied=found.applied)
            grouped = await grouped_rows(asked, watch.groups)
            columns, rows, truncated = grouped.columns, grouped.rows, grouped.truncated
        else:
            read = query_read(query, described, found.where)
            columns = answer_columns(read)
            rows, truncated = shown_rows(await watch.connection(read))
    return QueryResult(columns, rows, truncated, watch.sent, watch.usage)


async def seen_controls(context: Context, controls: Sequence[Control]) -> list[Control]:
    """The controls whose choices come from a dataset the caller sees, or from none. The others do not exist for the
    caller.
    """
    datasets = {control.dataset_id for control in controls} - {None}
    ids = sorted(id_ for id_ in datasets if id_ is not None)
    verdicts = await asyncio.gather(*(context.verdicts.check("can_view", names.dataset(id_)) for id_ in ids))
    seen = {id_ for id_, allowed in zip(ids, verdicts, strict=True) if allowed}
    return [control for control in controls if control.dataset_id is None or control.dataset_id in seen]


async def frame_of(context: Context, dashboard_id: UUID) -> Frame:
    """The dashboard's filters and settings, read once for all concurrent callers."""
    frame = await asyncio.shield(context.gen.frames.load(dashboard_id))
    if frame is None:
        raise NotFound("The dashboard is not there any more.")
    return frame
