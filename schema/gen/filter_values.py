"""The choices of a dashboard's filter."""

from typing import Annotated
from uuid import UUID

import strawberry

from resolvers.context import Context
from resolvers.gen.filter_values import filter_values
from schema.gen.widget_answer import GenFilterValue
from schema.mapping.splice import Row
from schema.scalars import JSON

Info = strawberry.Info[Context, None]


@strawberry.type(description="Values that a filter can be set to.")
class GenFilterChoices:
    values: list[JSON] = strawberry.field(description="Distinct values in order, without nulls.")
    more: bool = strawberry.field(description="Whether there are more values.")


async def control_values(
    row: strawberry.Parent[Row],
    info: Info,
    search: Annotated[
        str | None, strawberry.argument(description="Only texts that contain this, ignoring case.")
    ] = None,
    first: Annotated[int, strawberry.argument(description="Maximum number of values, 1,000 at most.")] = 50,
    filters: Annotated[
        list[GenFilterValue] | None,
        strawberry.argument(description="Values of the dashboard's filters: this filter's parents narrow its choices."),
    ] = None,
) -> GenFilterChoices | None:
    dataset_id = row.required("dataset_id")
    if dataset_id is None:
        return None
    choices = await filter_values(
        info.context,
        dashboard_id=UUID(row.required("dashboard_id")),
        control_id=UUID(row.required("id")),
        dataset_id=UUID(dataset_id),
        table_name=row.required("table_name"),
        given={each.name: each.value for each in filters or ()},
        search=search,
        first=first,
    )
    return GenFilterChoices(values=choices.values, more=choices.more)
