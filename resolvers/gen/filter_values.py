"""The choices of a dashboard's filter: distinct values of a column, under the caller's guard on its table."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from loaders.columnar.distinct import DistinctList
from loaders.description import Kind, Table
from loaders.errors import BadInput, NotFound
from loaders.gen.dashboard import Control
from loaders.read import And, Predicate, is_never
from resolvers.context import Context
from resolvers.gen.answer import guarded_rows
from resolvers.gen.group_read import aggregate_read
from resolvers.gen.narrowing import narrowed, require_known_names
from resolvers.gen.row_filter import predicate
from resolvers.gen.rows import column_of
from resolvers.gen.tables import describe_table
from resolvers.gen.widgets import frame_of, seen_controls

MAX_VALUES = 1_000


@dataclass(frozen=True, slots=True)
class Choices:
    """`more` says that there are more values than requested."""

    values: list[Any]
    more: bool


async def filter_values(
    context: Context,
    *,
    dashboard_id: UUID,
    control_id: UUID,
    dataset_id: UUID,
    table_name: str,
    given: Mapping[str, Any],
    search: str | None,
    first: int,
) -> Choices:
    """The first distinct values in order, without nulls, narrowed by the values of the filters above it.

    One query for all filters of a data source whose choices are asked for at the same time. Raises as `answer_widget`
    does; filters above without a value narrow nothing.
    """
    if not 0 <= first <= MAX_VALUES:
        raise BadInput(f"`first` is {first}; choices are answered from 0 to {MAX_VALUES}.")
    place = await asyncio.shield(context.gen.places.load(dataset_id))
    if place is None:
        raise NotFound(f"There is no table {table_name!r} in the filter's dataset.")
    with context.gen.barrier(place.space.data_source_id).coming() as arrival:
        described, frame = await asyncio.gather(
            describe_table(context, dataset_id, table_name), frame_of(context, dashboard_id)
        )
        controls = await seen_controls(context, frame.controls)
        own = next((control for control in controls if control.id == control_id), None)
        if described is None or own is None:
            raise NotFound(f"There is no table {table_name!r} in the filter's dataset.")
        require_known_names(controls, given)
        above = [replace(control, targets=None, is_required=False) for control in _above(own, controls)]
        found = narrowed(
            described,
            _sought(own.column, search, described),
            widget_id=control_id,
            controls=above,
            filters=place.filters_of(table_name),
            given={control.name: given[control.name] for control in above if control.name in given},
        )
        read = aggregate_read(described, group_by=[own.column], measures=[], where=found.where, limit=first + 1)
        guarded = await guarded_rows(read, dataset_id, context)
        await arrival.arrived()
    if is_never(guarded.where):
        return Choices([], more=False)
    asked = DistinctList(described, own.column, guarded.where, first + 1)
    values = await asyncio.shield(context.gen.values(described.store).load(asked))
    return Choices(values[:first], len(values) > first)


def _above(control: Control, controls: Sequence[Control]) -> list[Control]:
    """The filters that narrow its choices: its parent, the parent's parent and so on, each once."""
    by_id = {each.id: each for each in controls}
    found: dict[UUID, Control] = {control.id: control}
    above = control
    while above.parent_id in by_id and above.parent_id not in found:
        above = by_id[above.parent_id]
        found[above.id] = above
    return list(found.values())[1:]


def _sought(column: str, search: str | None, table: Table) -> Predicate | None:
    terms = [predicate({"column": column, "isNull": False}, table)]
    if search:
        if column_of(table, column).type.kind is not Kind.TEXT:
            raise BadInput(f"Column {column!r} is no text to search in. Leave `search` out.")
        escaped = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        terms.append(predicate({"column": column, "ilike": f"%{escaped}%"}, table))
    return And(tuple(term for term in terms if term is not None))
